-- Every hashtag that counts on some images, as in runs/interactions.
COPY (
    SELECT string_agg(int8send(i.image_id) || int4send(i.hashtag_id) || int4send(i.accepted::integer), ''::bytea)
    FROM tagdb_store.interactions i
    WHERE i.image_id = ANY (%(image_ids)s)
    GROUP BY i.image_id / 4096
) TO STDOUT (FORMAT binary)
