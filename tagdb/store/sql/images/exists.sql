SELECT EXISTS (SELECT FROM tagdb.images i WHERE i.image_id = %(image_id)s)
