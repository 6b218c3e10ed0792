"""Passwords and secrets: how they are made, and what of them may be stored."""

import hashlib
import secrets
import threading

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from crm.errors import UnavailableError

MIN_PASSWORD, MAX_PASSWORD = 10, 1024
AT_ONCE = 4
"""Passwords looked at together in one process, of 19 MiB each; the rest wait their turn."""
PATIENCE = 5.0

_hasher = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)
_turns = threading.BoundedSemaphore(AT_ONCE)
NOBODYS = (
    "$argon2id$v=19$m=19456,t=2,p=1$0bOMeCyAPaAdaTjfRq5TKg"
    "$9Um970kcBecUuVMKZZa/4tSwQoTlVsZMAcU/z9zOZLo"
)
"""Looked at where there is no such agent, so that the answer takes as long. Fits nothing known."""


def hash_password(password: str) -> str:
    """What may be stored of a password."""
    with _Turn():
        return _hasher.hash(password)


def fits(password: str, stored: str | None) -> bool:
    """Whether this is the password; without a stored one it is not, and takes as long to say."""
    try:
        with _Turn():
            _hasher.verify(stored or NOBODYS, password)
    except (VerificationError, InvalidHashError):
        return False
    return stored is not None


def make_password() -> str:
    """A password that nobody guesses, to be changed by whom it is given."""
    return secrets.token_urlsafe(15)


def make_secret(prefix: str = "") -> str:
    """256 random bits as text: a session, a token, a link."""
    return prefix + secrets.token_urlsafe(32)


def hash_secret(secret: str) -> str:
    """What may be stored of a secret. Nobody guesses those, so a plain hash is enough."""
    return hashlib.sha256(secret.encode(errors="replace")).hexdigest()


class _Turn:
    """Raises `UnavailableError` where too many others wait."""

    def __enter__(self) -> None:
        if not _turns.acquire(timeout=PATIENCE):
            raise UnavailableError("Too many people are signing in; try again.")

    def __exit__(self, *_: object) -> None:
        _turns.release()
