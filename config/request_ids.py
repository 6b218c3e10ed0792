"""`X-Request-ID`: taken from the request when it can be used, else made."""

import random
import re

ACCEPTABLE = re.compile(r"[\x21-\x7e]{1,128}")


def choose_request_id(given: str) -> str:
    """The id that a caller gave, or a new one."""
    # No secret, so no system call for it.
    return given if ACCEPTABLE.fullmatch(given) else f"{random.getrandbits(64):016x}"
