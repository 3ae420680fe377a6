"""From hashtags to factors, on arrays. Knows no database."""
