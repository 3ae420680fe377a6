"""What would break if a promise of docs/reliability.md did; TAGDB_SOAK multiplies the trials."""
