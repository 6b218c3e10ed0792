"""The Celery app, as `celery --app workers.app` finds it."""

from typing import Any

import structlog
from celery import Task

from config.settings import load_settings
from crm.factory import create_app
from crm.queue import celery, keep_our_logging
from workers import audit, customers, events, gateway, health, messages

__all__ = ["app", "audit", "customers", "events", "gateway", "health", "messages"]

settings = load_settings()
keep_our_logging(settings, "worker")
flask_app = create_app(settings)


class AppTask(Task):  # type: ignore[type-arg]
    """A task that runs in the Flask app's context, with a database session of its own."""

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        # A use case that finds out whose request it works for binds that id over the dash.
        ids = {"task": self.name, "request_id": "-"}
        with flask_app.app_context(), structlog.contextvars.bound_contextvars(**ids):
            return super().__call__(*args, **kwargs)


celery.Task = AppTask  # type: ignore[misc]
app = celery
