"""From pixels to embeddings: the backbone and the processes it runs in. Knows no database."""
