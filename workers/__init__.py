"""Celery's door: thin tasks that call use cases."""
