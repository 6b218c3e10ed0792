"""`X-Request-ID`: taken from the request when it can be used, else made."""

import re
import secrets

ACCEPTABLE = re.compile(r"[\x21-\x7e]{1,128}")


def choose_request_id(given: str) -> str:
    """The id that a caller gave, or a new one."""
    return given if ACCEPTABLE.fullmatch(given) else secrets.token_hex(8)
