"""The database as a server: reaching it, running one, its settings, its tables, arrays in and out."""
