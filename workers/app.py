"""The Celery app, as `celery --app workers.app` finds it."""

from typing import Any

import structlog
from celery import Task
from celery.signals import setup_logging

from config.logging import configure_logging
from config.settings import load_settings
from crm.extensions import celery
from crm.factory import create_app
from workers import customers, events, gateway, health, messages

__all__ = ["app", "customers", "events", "gateway", "health", "messages"]

settings = load_settings()
flask_app = create_app(settings)


class AppTask(Task):  # type: ignore[type-arg]
    """A task that runs in the Flask app's context, with a database session of its own."""

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        with flask_app.app_context(), structlog.contextvars.bound_contextvars(task=self.name):
            return super().__call__(*args, **kwargs)


celery.Task = AppTask  # type: ignore[misc]
app = celery


@setup_logging.connect
def keep_our_logging(**kwargs: Any) -> None:
    """Celery leaves logging alone when somebody listens to this."""
    configure_logging(settings, "worker")
