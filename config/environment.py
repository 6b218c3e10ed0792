"""The environment of programs that we start."""

import os
import sys
from collections.abc import Mapping
from pathlib import Path


def child_environment(extra: Mapping[str, str]) -> dict[str, str]:
    """Our environment with `extra` over it, and this interpreter's programs first on the PATH."""
    programs = f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', os.defpath)}"
    return {**os.environ, "PYTHONUNBUFFERED": "1", **extra, "PATH": programs}
