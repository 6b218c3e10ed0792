"""Tasks about the workers themselves."""

import socket

from crm.queue import celery
from crm.services import recovery


@celery.task(name="workers.heartbeat")
def heartbeat() -> None:
    """Prove that queue, beat and worker all run."""
    recovery.record_heartbeat(socket.gethostname())
