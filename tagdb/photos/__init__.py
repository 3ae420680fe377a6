"""Photos on their way in: sources, manifests, files and decoding. Knows no database."""
