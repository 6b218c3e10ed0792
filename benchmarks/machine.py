"""Where a measurement was made, for the reader of its report."""

import os
import platform
from pathlib import Path

from benchmarks.cores import describe


def describe_machine(cores: str = "") -> list[str]:
    """Lines of a Markdown list; `cores` says who ran where, if not as usual."""
    load = os.getloadavg()[0]
    return [
        f"- machine: {_processor()}, {os.cpu_count()} cores, load {load:.1f} at the end",
        f"- cores: {cores or describe()}",
        f"- system: {platform.system()} {platform.release()}, Python {platform.python_version()}",
    ]


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    models = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return models[0] if models else platform.machine()
