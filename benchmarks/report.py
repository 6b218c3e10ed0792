"""Figures of several targets side by side, as Markdown and as a chart."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median, quantiles

from benchmarks import charts, operations
from benchmarks.machine import describe_machine
from benchmarks.measure import Effort, Figures, Round, Turn

OURS, PEER, FLOOR = "crm", "fastapi", "floor"


@dataclass(frozen=True, slots=True)
class Bar:
    """What we hold ourselves to."""

    times_the_peer: float | None = None
    p95_ms: float | None = None
    seed_ms: float | None = None
    """The API document's own."""


BARS = {
    operations.PAGE: Bar(5, 20, 100),
    operations.KEPT_PAGE: Bar(5, 20, 100),
    operations.HISTORY: Bar(5, 20, 200),
    operations.KEPT_HISTORY: Bar(5, 20, 200),
    operations.SEND: Bar(2, 25, 50),
    "stream: first byte": Bar(None, 50, 1000),
    "event: commit to client": Bar(None, 100),
    operations.LIST: Bar(5, None, 100),
    operations.KEPT: Bar(20, None, 100),
    operations.NOT_MODIFIED: Bar(20, None, 100),
}


def merge(turns: Sequence[Turn]) -> Turn:
    """Several turns of one target as one."""
    whole = Turn()
    for turn in turns:
        for name, figures in turn.figures.items():
            whole.figures.setdefault(name, Figures()).add(figures)
        whole.megabytes += turn.megabytes
        whole.facts |= turn.facts
    return whole


def write_report(title: str, found: Mapping[str, Turn], effort: Effort) -> str:
    """Everything as Markdown."""
    parts = [f"# {title}", "", *describe_machine()]
    for name, turn in found.items():
        memory = f"{max(turn.megabytes):.0f} MB"
        told = "; ".join(f"{key}: {text}" for key, text in turn.facts.items())
        parts.append(f"- {name}: {told}; web's memory after the work (PSS) {memory}")
    parts += ["", "## Answers a second", ""]
    parts += [
        f"{effort.connections} keep-alive connections, medians of the turns. The last column is "
        "how many times less processor time our web took for each: others on the machine change "
        "it least.",
        "",
    ]
    parts += [*_rates(found), ""]
    for name, turn in found.items():
        parts += [f"## {name}: one request after the other", "", *_times(name, turn.figures), ""]
    return "\n".join(parts)


def draw_rates(file: Path, title: str, found: Mapping[str, Turn]) -> None:
    """The answers a second, as bars."""
    names = [name for name, figures in _first(found).items() if figures.per_second]
    series = {target: [_rate(turn, name) for name in names] for target, turn in found.items()}
    charts.bars(file, title, names, series)


def _rates(found: Mapping[str, Turn]) -> Iterator[str]:
    targets = list(found)
    compared = OURS in found and PEER in found
    head, rule = " |", ""
    if compared:
        head, rule = " | times the peer | wanted | met | less CPU |", "---:|---:|---|---:|"
    yield "| | " + " | ".join(targets) + head
    yield "|---|" + "---:|" * len(targets) + rule
    for name, figures in _first(found).items():
        if not figures.per_second:
            continue
        cells = [f"{_rate(turn, name) or 0:,.0f}" for turn in found.values()]
        yield f"| {name} | " + " | ".join(cells) + (_verdict(found, name) if compared else " |")


def _verdict(found: Mapping[str, Turn], name: str) -> str:
    ours, peers = found[OURS].figures[name], found[PEER].figures[name]
    ratio = median(ours.per_second) / median(peers.per_second)
    spent = f"{median(peers.cpu_seconds) / median(ours.cpu_seconds):.1f}"
    wanted = BARS[name].times_the_peer
    if wanted is None:
        return f" | {ratio:.1f} | | | {spent} |"
    met = "yes" if ratio >= wanted else "NO"
    return f" | **{ratio:.1f}** | {wanted:g} | {met} | {spent} |"


def _times(target: str, found: Round) -> Iterator[str]:
    yield "| in ms | n | median | p95 | p99 | web's CPU | wanted, p95 | met |"
    yield "|---|---:|---:|---:|---:|---:|---:|---|"
    for name, figures in found.items():
        middle, p95, p99 = percentiles(figures.seconds)
        cpu = f"{median(figures.cpu_seconds) * 1000:.2f}" if figures.cpu_seconds else ""
        bar = BARS.get(name, Bar())
        limit = bar.p95_ms or bar.seed_ms
        held = limit is not None and target == OURS
        yield (
            f"| {name} | {len(figures.seconds)} | {middle:.2f} | {p95:.2f} | {p99:.2f} | {cpu} "
            f"| {f'< {limit:g}' if held else ''} "
            f"| {('yes' if p95 < (limit or 0) else 'NO') if held else ''} |"
        )


def percentiles(seconds: Sequence[float]) -> tuple[float, float, float]:
    """Median, 95th and 99th, in milliseconds; NaN where nothing was seen."""
    if len(seconds) < 2:
        return (float("nan"),) * 3
    cuts = quantiles(seconds, n=100, method="inclusive")
    return cuts[49] * 1000, cuts[94] * 1000, cuts[98] * 1000


def _rate(turn: Turn, name: str) -> float | None:
    figures = turn.figures.get(name)
    return median(figures.per_second) if figures and figures.per_second else None


def _first(found: Mapping[str, Turn]) -> Round:
    return next(iter(found.values())).figures
