"""Getting out again what a database holds: photos, hashtags, recommendations and vectors.

``run`` reads images and gives them to a writer, one module a format; ``targets`` is where they write, and
makes the whole appear at once. What is written here, :mod:`tagdb.photos.formats` reads again.
"""
