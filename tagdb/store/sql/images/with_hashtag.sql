-- Some of the images with a hashtag: all of them, if it is rare.
SELECT t.image_id FROM tagdb.image_hashtags t WHERE t.hashtag = %(hashtag)s LIMIT %(limit)s
