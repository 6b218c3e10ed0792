"""Reads behind lists and figures: rows and bytes, never a commit."""
