"""``python -m tagdb``."""

from tagdb.cli import main

main()
