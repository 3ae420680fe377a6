-- What is there to recommend from.
SELECT EXISTS (SELECT FROM tagdb.images) AS images,
       EXISTS (SELECT FROM tagdb.image_hashtags) AS hashtags,
       EXISTS (SELECT FROM tagdb.factor_runs r WHERE r.status = 'active') AS factors
