"""Use cases: the only callers of `transaction()`. Doors (HTTP, Celery, CLI) call these."""
