-- The SHA-256 of a stored image's content.
SELECT decode(i.content_sha256, 'hex') FROM tagdb.images i WHERE i.image_id = %(image_id)s
