"""What `make run` prints at the end: addresses at which a browser finds what they name."""

import dataclasses

import pytest

from config.launch_steps import PORTS, banner
from config.settings import load_settings


def inbox_of(bound_to: str, *, reachable: str) -> str:
    settings = dataclasses.replace(load_settings(), host=bound_to)
    (line,) = [line for line in banner(reachable, PORTS, settings) if "Inbox" in line]
    return line.split()[-1]


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_on_this_machine_the_inbox_has_a_port_of_its_own(host: str) -> None:
    assert inbox_of(host, reachable=host) == "http://localhost:3000"


@pytest.mark.parametrize(
    ("host", "reachable"), [("0.0.0.0", "127.0.0.1"), ("::", "127.0.0.1"), ("10.0.0.7", "10.0.0.7")]
)
def test_for_other_machines_the_inbox_is_where_its_api_is(host: str, reachable: str) -> None:
    """A page at :3000 of another name than this machine's own may not call the API."""
    assert inbox_of(host, reachable=reachable) == f"http://{reachable}:8000/"
