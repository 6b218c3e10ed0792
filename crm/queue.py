"""The Celery app, bound to its broker. Importing it opens no connection and loads no model.

Processes that only look at the queue (beat, Flower) need nothing else of the product.
"""

from celery import Celery
from celery.signals import setup_logging

import celeryconfig
from config.logging import configure_logging
from config.redis import broker_url, redis_url
from config.settings import Settings

celery = Celery("crm", set_as_current=False)


def bind_queue(settings: Settings) -> Celery:
    """Give the app its settings and its broker."""
    celery.config_from_object(celeryconfig)
    celery.conf.update(broker_url=broker_url(redis_url(settings)))
    return celery


def keep_our_logging(settings: Settings, process: str) -> None:
    """Celery leaves logging alone when somebody listens to this signal."""

    @setup_logging.connect(weak=False)
    def configure(**_: object) -> None:
        configure_logging(settings, process)
