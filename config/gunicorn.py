"""gunicorn's settings for the backend."""

import subprocess
import sys
import threading
from typing import Any

from config.settings import load_settings
from config.threads import let_threads_finish

settings = load_settings()

bind = f"{settings.host}:{settings.port or 8000}"
workers = settings.web_concurrency
threads = settings.web_threads
# gevent counts connections where gthread counts threads; what is left over may be kept alive.
worker_connections = 1000 + settings.web_threads
worker_class = settings.web_worker_class
if worker_class == "gthread":
    worker_class = "config.patient_worker.PatientWorker"
keepalive = 5
graceful_timeout = 10
timeout = 60
control_socket_disable = True
# Every process of this master tells the same uptime.
raw_env = [f"WEB_STARTED_AT={settings.started_at}"]


def when_ready(_server: Any) -> None:
    """Where nobody has an account yet, print the owner's link: once, not in every worker.

    In a process of its own, so that the master opens no connection that its workers would share.
    """
    if settings.is_production:
        subprocess.Popen([sys.executable, "-m", "flask", "--app", "wsgi", "agents", "setup-link"])


def post_worker_init(worker: Any) -> None:
    """Streams end when their worker stops, else they would hold it until it is killed."""
    let_threads_finish()
    worker.wsgi.extensions["feed"].is_stopping = lambda: not worker.alive
    if settings.web_worker_class == "gthread":
        # All threads from the start, so that what a process takes does not depend on its past.
        barrier = threading.Barrier(threads)
        for _ in range(threads):
            worker.tpool.submit(barrier.wait)
