"""Tasks about customers."""

from crm.queue import celery
from crm.services import gateway
from workers.logs import logged


@celery.task(name="customers.erase_at_gateway")
def erase_at_gateway(erasure_id: int) -> None:
    """Have the gateway erase its copies of a deleted customer's texts."""
    with logged(erasure_id=erasure_id) as line:
        line["outcome"] = gateway.erase_at_gateway(erasure_id)
