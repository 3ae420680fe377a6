-- Those of some images that there are, with which nobody else does anything until the transaction ends.
SELECT unnest(tagdb_store.claim_images(%(image_ids)s))
