"""Measuring how good recommendations are, and looking for better settings."""
