"""A certificate of the tests' own, for `localhost` and no longer than a day."""

import shutil
import ssl
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

NAME = "localhost"


@dataclass(frozen=True, slots=True)
class Certificate:
    """The files that gunicorn's `--certfile` and `--keyfile` name."""

    certificate: Path
    key: Path

    def client_context(self) -> ssl.SSLContext:
        """That of a client who trusts it, and nobody else."""
        return ssl.create_default_context(cafile=self.certificate)


def make_certificate(directory: Path, lacking: Callable[[str], NoReturn]) -> Certificate:
    """Made by the machine's openssl."""
    openssl = shutil.which("openssl") or lacking("there is no openssl to make a certificate with")
    made = Certificate(directory / "certificate.pem", directory / "key.pem")
    command = [openssl, "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1",
        "-subj", f"/CN={NAME}", "-addext", f"subjectAltName=DNS:{NAME}",
        "-keyout", str(made.key), "-out", str(made.certificate)]  # fmt: skip
    subprocess.run(command, check=True, capture_output=True, timeout=60)
    return made
