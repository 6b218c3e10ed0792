"""A bare Celery app with the product's own settings, whose one task does nothing.

CELERY_BROKER=redis://… celery --app benchmarks.peers.celery_noop worker
"""

import os

from celery import Celery

import celeryconfig

app = Celery("noop", set_as_current=False)
app.config_from_object(celeryconfig)
app.conf.update(broker_url=os.environ.get("CELERY_BROKER", ""), beat_schedule={})


@app.task(name="benchmarks.noop")
def noop(number: int) -> None:
    """Nothing."""
