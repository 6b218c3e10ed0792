"""Handing queued messages to the gateway: claim, call, settle.

Three steps, two transactions, and none open while the gateway is called.
"""

import structlog

from crm.gateway_client import gateway
from crm.gateway_errors import GatewayRefusedError, GatewayTemporaryError, GatewayUnreachableError
from crm.services.claims import claim_message
from crm.services.settlement import (
    settle_accepted,
    settle_failure,
    settle_refusal,
    settle_unreachable,
)


def deliver_message(message_id: int) -> str:
    """Claim a message, hand it to the gateway, and write down how that went.

    Returns the outcome's name for the log. Every outcome is stored, so none is raised.
    """
    claim = claim_message(message_id)
    if claim is None:
        return "not_due"
    structlog.contextvars.bind_contextvars(request_id=claim.request_id)
    try:
        gateway.send(claim.order, request_id=claim.request_id)
    except GatewayUnreachableError as error:
        return settle_unreachable(claim, error)
    except GatewayTemporaryError as error:
        return settle_failure(claim, error)
    except GatewayRefusedError as error:
        return settle_refusal(claim, error)
    return settle_accepted(claim)
