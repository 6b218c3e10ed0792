"""Tasks about the gateway."""

from crm.queue import celery
from crm.services import gateway


@celery.task(name="gateway.refresh_status")
def refresh_status() -> None:
    """Ask the gateway how it is, and tell the browsers where that changed."""
    gateway.refresh_gateway_status()
