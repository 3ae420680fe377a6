"""The pages: shells that the scripts in ``static`` fill from ``/v1``."""

from fastapi import FastAPI


def install(app: FastAPI) -> None:
    """Add the pages to an application."""
