"""Figures beside the API document's targets, as a Markdown table."""

import os
import platform
from collections.abc import Iterator, Mapping
from pathlib import Path
from statistics import quantiles

from benchmarks.measure import CLIENTS, Figures, Round

TARGETS_MS = {
    "list: page of 50": 100,
    "list: whole": 100,
    "history: page of 200": 200,
    "history: whole (1,000)": 200,
    "send a message": 50,
    "stream: first byte": 1000,
}
"""Of the API document, in milliseconds; held against the 95th percentile."""


def write_report(name: str, found: Round, facts: Mapping[str, str]) -> str:
    """One target's report."""
    lines = [f"## {name}", "", *_machine(), *(f"- {key}: {text}" for key, text in facts.items())]
    return "\n".join([*lines, "", *_table(found), ""])


def merge(rounds: list[Round]) -> Round:
    """The figures of several rounds as those of one."""
    merged: Round = {}
    for one in rounds:
        for name, figures in one.items():
            merged.setdefault(name, Figures()).add(figures)
    return merged


def _table(found: Round) -> Iterator[str]:
    rate = f"a second, {CLIENTS} clients"
    yield f"| in ms | n | median | p95 | p99 | web's CPU | {rate} | target | met |"
    yield "|---|---:|---:|---:|---:|---:|---:|---:|---|"
    for name, figures in found.items():
        median, p95, p99 = _percentiles(figures.seconds)
        cpu = _mean(figures.cpu_seconds, 1000, ".1f")
        rate = _mean(figures.per_second, 1, ".0f")
        target = TARGETS_MS.get(name)
        yield (
            f"| {name} | {len(figures.seconds)} | {median:.1f} | {p95:.1f} | {p99:.1f} "
            f"| {cpu} | {rate} | {f'< {target}' if target else ''} "
            f"| {'' if target is None else 'yes' if p95 < target else 'NO'} |"
        )


def _mean(values: list[float], scale: float, form: str) -> str:
    return format(scale * sum(values) / len(values), form) if values else ""


def _percentiles(seconds: list[float]) -> tuple[float, float, float]:
    """Median, 95th and 99th, in milliseconds; NaN where nothing was seen."""
    if len(seconds) < 2:
        return (float("nan"),) * 3
    cuts = quantiles(seconds, n=100, method="inclusive")
    return cuts[49] * 1000, cuts[94] * 1000, cuts[98] * 1000


def _machine() -> list[str]:
    cores, load = os.cpu_count(), os.getloadavg()[0]
    return [
        f"- machine: {_processor()}, {cores} cores, load {load:.1f}",
        f"- system: {platform.system()} {platform.release()}, Python {platform.python_version()}",
    ]


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    models = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return models[0] if models else platform.machine()
