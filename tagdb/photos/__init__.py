"""What comes in: photos, and what is known about them. Knows no database."""
