"""From pixels to embeddings: the backbone, and the processes that it runs in. Knows no database."""
