"""Meta's error codes as one table: what to do about each, and what an agent is told.

Source: "Cloud API error codes" in Meta's documentation. A code that is not here is final where the
answer is a 4xx; a 5xx that does not say that nothing was sent may come after the message went out.
"""

from dataclasses import dataclass
from enum import StrEnum

from gateway.drivers.base import DriverState


class Action(StrEnum):
    RETRY = "retry"
    """Nothing was sent; the same again a few times, later each time."""
    WAIT_CHAT = "wait_chat"
    """Too many messages to this customer: only this chat waits."""
    WAIT_NUMBER = "wait_number"
    """Too many messages, or a pause, of the whole number: every chat waits."""
    NEVER = "never"
    """Final. An agent is told why."""


@dataclass(frozen=True, slots=True)
class Rule:
    """What a code means. `delay`: seconds before the first new try; later ones double it."""

    action: Action
    reason: str
    delay: float = 0.0
    retryable: bool = False
    """Whether an agent may sensibly order the same message again."""
    is_vague: bool = False
    """Meta does not say that nothing was sent: with a 5xx it may have been."""
    state: DriverState | None = None
    """Set where the code says that WhatsApp takes nothing from us at all."""


def _retry(reason: str, delay: float) -> Rule:
    return Rule(Action.RETRY, reason, delay=delay)


def _fault(reason: str) -> Rule:
    return Rule(Action.RETRY, reason, delay=5.0, is_vague=True)


def _wait(reason: str, delay: float) -> Rule:
    return Rule(Action.WAIT_NUMBER, reason, delay=delay)


def _never(reason: str, *, retryable: bool = False) -> Rule:
    return Rule(Action.NEVER, reason, retryable=retryable)


def _refused(reason: str, state: DriverState = DriverState.LOGGED_OUT) -> Rule:
    return Rule(Action.NEVER, reason, retryable=True, state=state)


TOKEN_REFUSED = (
    "WhatsApp refuses WHATSAPP_TOKEN (expired, revoked or mistyped); make a new token for the "
    "system user at Meta and set WHATSAPP_TOKEN to it."
)
TOKEN_TOO_WEAK = (
    "WHATSAPP_TOKEN lacks a permission; give it whatsapp_business_messaging and "
    "whatsapp_business_management at Meta, and set WHATSAPP_TOKEN to the new token."
)
PHONE_UNKNOWN = (
    "WHATSAPP_PHONE_ID names no phone number that this token may use; copy the phone number ID "
    "from API Setup at Meta into WHATSAPP_PHONE_ID."
)

RULES: dict[int, Rule] = {
    # Who we are
    0: _refused(TOKEN_REFUSED),
    190: _refused(TOKEN_REFUSED),
    3: _refused(TOKEN_TOO_WEAK),
    10: _refused(TOKEN_TOO_WEAK),
    131005: _refused(TOKEN_TOO_WEAK),
    33: _refused(PHONE_UNKNOWN),
    368: _refused(
        "Meta has blocked this WhatsApp account for a policy violation; see Account Quality in "
        "WhatsApp Manager.",
        DriverState.BANNED,
    ),
    131031: _refused(
        "Meta has locked this WhatsApp account; see Account Quality in WhatsApp Manager.",
        DriverState.BANNED,
    ),
    # How fast we are
    131056: Rule(
        Action.WAIT_CHAT, "Too many messages to this customer in a short time.", delay=6.0
    ),
    130429: _wait("The number sends faster than WhatsApp allows.", 2.0),
    80007: _wait("The WhatsApp account has reached its hourly limit.", 60.0),
    4: _wait("The app has reached its hourly limit of calls.", 60.0),
    131057: _wait("WhatsApp has the account in maintenance.", 60.0),
    # What passes
    1: _fault("WhatsApp had an unknown error."),
    2: _fault("WhatsApp is down or overloaded."),
    131000: _fault("WhatsApp had an unknown error."),
    131016: _fault("A service of WhatsApp is unavailable."),
    133016: _retry("WhatsApp has seen too many registrations of this number.", 60.0),
    # Who it goes to
    131021: _never("This is the number of the shop itself."),
    131026: _never(
        "This customer cannot be reached: no WhatsApp, a very old one, or new terms not accepted.",
        retryable=True,
    ),
    131030: _never("The number is not on the list of a Meta test number's allowed recipients."),
    131047: _never(
        "More than 24 hours have passed since the customer last wrote: only a template may be sent."
    ),
    131048: _never(
        "WhatsApp limits this number, since too many of its messages were blocked or reported.",
        retryable=True,
    ),
    131049: _never(
        "WhatsApp kept this message back to protect the customer from too much marketing.",
        retryable=True,
    ),
    131050: _never("The customer has stopped marketing messages from this shop."),
    130472: _never("WhatsApp runs an experiment and brings this customer no marketing messages."),
    130497: _never("The account may not write to customers of this country."),
    131062: _never("WhatsApp needs the customer's phone number for this message."),
    # What we sent
    100: _never("WhatsApp does not understand a value of this message."),
    131008: _never("A value that WhatsApp requires is missing."),
    131009: _never("WhatsApp refuses a value of this message."),
    131051: _never("WhatsApp does not support this kind of message."),
    131052: _never("The customer's file could not be downloaded."),
    131053: _never("The file could not be uploaded."),
    132000: _never("The template takes another number of values."),
    132001: _never("No approved template has this name and language."),
    132005: _never("The template's text gets too long with these values."),
    132007: _never("The template breaks a rule of WhatsApp's."),
    132012: _never("A value has not the form that the template wants."),
    132015: _never("WhatsApp has paused the template for its low quality.", retryable=True),
    132016: _never("WhatsApp has switched the template off for its low quality."),
    132018: _never("A value of the template has line breaks or too many spaces."),
    135000: _never("WhatsApp refused the message without saying why.", retryable=True),
    # What the owner has to do
    131037: _never("The number's display name is not approved yet.", retryable=True),
    131042: _never(
        "The account's payment method does not work; see Meta's billing.", retryable=True
    ),
    131045: _never("The number is not registered for the Cloud API yet.", retryable=True),
    133010: _never("The number is not registered for the Cloud API yet.", retryable=True),
}
PERMISSIONS = range(200, 300)
UNKNOWN_ID = {"33", "100"}
"""What Meta says of an id that does not exist, no longer exists, or is not ours to see."""


def find_rule(code: int) -> Rule | None:
    """None where the table does not know the code."""
    return RULES[10] if code in PERMISSIONS else RULES.get(code)
