"""PostgreSQL: connecting, the embedded server, its settings and programs, tables, binary COPY."""
