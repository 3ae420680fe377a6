"""Alembic migrations of the tagdb schema; their SQL lies in `sql/`, one object a file."""
