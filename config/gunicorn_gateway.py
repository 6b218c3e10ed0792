"""gunicorn for the gateway: `gunicorn --config config/gunicorn_gateway.py gateway.wsgi:app`.

One worker, since one process holds the session with WhatsApp; its threads answer HTTP.
"""

import logging
from typing import Any

from gunicorn.glogging import Logger

from config.logging import configure_logging
from config.settings import load_settings
from gateway.drivers import make_driver

# Here, in the master, so that a bad setting ends everything with its one sentence.
settings = load_settings("gateway")
make_driver(settings)
configure_logging(settings, "gateway")

USUAL_PORT = 3002


class OurLogger(Logger):  # type: ignore[misc]
    """gunicorn's own lines in our format; no access lines, they would hold phone numbers."""

    def setup(self, cfg: Any) -> None:
        self.cfg = cfg
        self.loglevel = settings.log_level
        self._access_log_enabled = False
        self.error_log.setLevel(max(settings.log_level, logging.INFO))
        self.error_log.propagate = True


bind = f"{settings.host}:{settings.port or USUAL_PORT}"
workers = 1
worker_class = "config.patient_worker.PatientWorker"
threads = 32
# Longer than the backend keeps an idle connection, so that it never sends into a closed one.
keepalive = 75
graceful_timeout = 7
control_socket_disable = True
logger_class = OurLogger


def post_worker_init(worker: Any) -> None:
    """Start the background threads in the worker, never in the master."""
    worker.wsgi.extensions["gateway"].start()


def worker_exit(_server: Any, worker: Any) -> None:
    """Finish what can be finished; `wsgi` is missing where the worker failed to boot."""
    if getattr(worker, "wsgi", None) is not None:
        worker.wsgi.extensions["gateway"].stop()
