"""Measure how good recommendations are, and search for better settings."""
