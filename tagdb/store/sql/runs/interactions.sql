-- Every hashtag that counts on every image of a range, for ALS, and whether feedback has accepted it: packed, 16
-- bytes each, thousands to a row, because rows take longer than what is in them.
COPY (
    SELECT string_agg(int8send(i.image_id) || int4send(i.hashtag_id) || int4send(i.accepted::integer), ''::bytea)
    FROM tagdb_store.interactions i
    WHERE i.image_id > %(after)s AND i.image_id <= %(last)s
    GROUP BY i.image_id / 4096
) TO STDOUT (FORMAT binary)
