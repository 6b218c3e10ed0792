"""The unit files and the compose file run exactly what the Procfile runs."""

import shlex
from configparser import RawConfigParser
from pathlib import Path
from typing import Any

import pytest
import yaml

from config.launch_process import read_procfiles
from config.settings import PROJECT_ROOT

DEPLOY = PROJECT_ROOT / "deploy"
COMMANDS = read_procfiles(PROJECT_ROOT / "Procfile")
FOREIGN = {"postgres", "redis"}
COMPOSE: dict[str, Any] = yaml.safe_load((DEPLOY / "compose.yaml").read_text())


def unit(path: Path) -> RawConfigParser:
    parser = RawConfigParser(strict=True)
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    parser.read_string(path.read_text())
    return parser


def test_every_process_has_a_unit_of_its_own_and_no_other_has() -> None:
    names = {path.stem.removeprefix("whatsapp-crm-") for path in DEPLOY.glob("systemd/*.service")}
    assert names == set(COMMANDS)


@pytest.mark.parametrize("name", COMMANDS)
def test_a_unit_runs_the_procfiles_command(name: str) -> None:
    service = unit(DEPLOY / f"systemd/whatsapp-crm-{name}.service")["Service"]
    env, *command = shlex.split(service["ExecStart"])
    assert env == "/usr/bin/env"  # systemd wants a whole path; this looks on the PATH
    assert command == COMMANDS[name]
    assert service["EnvironmentFile"] == "/etc/whatsapp-crm.env"


def test_every_container_runs_the_procfiles_command() -> None:
    ours = {name: service for name, service in COMPOSE["services"].items() if name not in FOREIGN}
    assert {name: service["command"] for name, service in ours.items()} == COMMANDS


def test_flower_starts_only_when_it_is_asked_for() -> None:
    assert COMPOSE["services"]["flower"]["profiles"] == ["flower"]
    assert "Install" not in unit(DEPLOY / "systemd/whatsapp-crm-flower.service")


def test_no_container_shows_itself_to_the_network() -> None:
    for name, service in COMPOSE["services"].items():
        for port in service.get("ports", []):
            assert port.startswith("127.0.0.1:"), name


def test_there_is_one_gateway_and_one_beat() -> None:
    for name in ("gateway", "beat"):
        assert "deploy" not in COMPOSE["services"][name]
        assert "scale" not in COMPOSE["services"][name]
