"""One aggregate a file: columns, relations and pure rules."""

from crm.models.agent import Agent, AgentSession, Role, SetupLink
from crm.models.api_token import ApiToken, Scope
from crm.models.audit_entry import Action, AuditEntry
from crm.models.counter import Counter, CounterName
from crm.models.customer import Customer
from crm.models.erasure import Erasure
from crm.models.event import Event
from crm.models.gateway_link import GatewayLink
from crm.models.message import Direction, Dispatch, Message, Priority
from crm.models.parked_ack import ParkedAck
from crm.models.worker_heartbeat import WorkerHeartbeat

__all__ = [
    "Action",
    "Agent",
    "AgentSession",
    "ApiToken",
    "AuditEntry",
    "Counter",
    "CounterName",
    "Customer",
    "Direction",
    "Dispatch",
    "Erasure",
    "Event",
    "GatewayLink",
    "Message",
    "ParkedAck",
    "Priority",
    "Role",
    "Scope",
    "SetupLink",
    "WorkerHeartbeat",
]
