"""The Celery app, bound to its broker. Importing it opens no connection and loads no model.

Processes that only look at the queue (beat, Flower) need nothing else of the product.
"""

from typing import Any

from amqp.exceptions import ChannelError
from celery import Celery
from celery.app.amqp import AMQP
from celery.signals import setup_logging
from kombu import Connection
from kombu.exceptions import KombuError
from redis.exceptions import RedisError

import celeryconfig
from config.logging import configure_logging
from config.redis import broker_url, redis_url
from config.settings import Settings


class PatientConnection(Connection):
    """Looks for a lost Redis every few seconds for ever; kombu's own pauses grow to 30 s."""

    def ensure_connection(self, *args: Any, **kwargs: Any) -> Any:
        pauses = {"interval_start": 1, "interval_step": 1, "interval_max": 5}
        return super().ensure_connection(*args, **pauses | kwargs)


class Broker(AMQP):
    """Celery's door to the queue, over connections of that kind."""

    Connection = PatientConnection


celery = Celery("crm", set_as_current=False, amqp=Broker)


def bind_queue(settings: Settings) -> Celery:
    """Give the app its settings and its broker."""
    celery.config_from_object(celeryconfig)
    celery.conf.update(broker_url=broker_url(redis_url(settings)))
    return celery


def count_waiting_jobs(app: Celery = celery) -> int:
    """Jobs that no worker has taken yet, the clock's apart; 0 where Redis cannot be asked."""
    try:
        pool: Any = app.pool
        with pool.acquire(block=True, timeout=1) as connection:
            name = app.conf.task_default_queue
            return int(connection.default_channel.queue_declare(name, passive=True).message_count)
    except (ChannelError, KombuError, RedisError, OSError):  # the first: no queue, so no jobs
        return 0


def keep_our_logging(settings: Settings, process: str) -> None:
    """Celery leaves logging alone when somebody listens to this signal."""

    @setup_logging.connect(weak=False)
    def configure(**_: object) -> None:
        configure_logging(settings, process)
