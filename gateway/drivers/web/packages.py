"""Whether what this driver needs is installed, found out without loading neonize."""

from collections.abc import Callable
from importlib import import_module
from importlib.util import find_spec

from config.settings import SettingsError

Find = Callable[[str], object | None]


def require_packages(find: Find = find_spec, load: Callable[[str], object] = import_module) -> None:
    """Raises SettingsError with the way out. Safe before a fork: Go is not started."""
    if find("neonize") is None:
        raise SettingsError(
            "Cannot start: GATEWAY_DRIVER=web needs packages that are not installed; install them "
            "with `make setup-whatsapp`, which is "
            "`.venv/bin/pip install --require-hashes -r requirements-whatsapp.txt`."
        )
    try:
        load("magic")
    except ImportError as error:
        raise SettingsError(
            "Cannot start: GATEWAY_DRIVER=web needs the library libmagic, which this machine lacks "
            "(on Debian and Ubuntu: apt install libmagic1; on macOS: brew install libmagic)."
        ) from error
