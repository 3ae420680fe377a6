"""tagdb: hashtag recommendations for pictures, computed inside PostgreSQL."""

__version__ = "0.1.0"
