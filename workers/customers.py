"""Tasks about customers."""

from crm.queue import celery
from crm.services import gateway
from workers.logs import logged


@celery.task(name="customers.erase_at_gateway")
def erase_at_gateway(erasure_id: int) -> None:
    """Have the gateway erase its copies of a deleted customer's texts."""
    with logged(erasure_id=erasure_id) as line:
        line["outcome"] = gateway.erase_at_gateway(erasure_id)


@celery.task(name="customers.tell_read")
def tell_read(customer_id: int, first_id: int, last_id: int) -> None:
    """Send read receipts for what an agent has read."""
    with logged(customer_id=customer_id, up_to=last_id) as line:
        line["outcome"] = gateway.tell_read(customer_id, first_id, last_id)
