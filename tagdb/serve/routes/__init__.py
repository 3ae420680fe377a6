"""What can be called, below ``/v1``."""
