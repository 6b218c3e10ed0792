"""The report of a soak, as delivery.md §5 wants it."""

import json
from collections import Counter
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from statistics import quantiles

from tests.soak.records import Records

SETTLED_WITHIN = 60.0
SHOWN = 8
"""Broken promises of one kind that are printed."""


@dataclass(slots=True, kw_only=True)
class Report:
    """Times are seconds."""

    seed: int
    database: str
    gateway: str
    sets: int = 1
    settled_within: float = SETTLED_WITHIN
    messages: int = 0
    inbound: int = 0
    seconds: float = 0.0
    faults: dict[str, int] = field(default_factory=dict)
    faults_missed: list[str] = field(default_factory=list)
    most_at_once: int = 0
    broken: dict[str, list[str]] = field(default_factory=dict)
    states: dict[str, int] = field(default_factory=dict)
    gave_up: dict[str, int] = field(default_factory=dict)
    answers: dict[str, int] = field(default_factory=dict)
    slowest_answer: float = 0.0
    written_after: float = 0.0
    """From the last fault until all messages were answered: a slow machine has a backlog."""
    settled_after: float | None = None
    """From the last fault, or the last answer where that came later."""
    answer_to_mapped: dict[str, float] = field(default_factory=dict)
    held: dict[str, dict[str, dict[str, float]]] = field(default_factory=dict)
    grown: list[str] = field(default_factory=list)
    streams: dict[str, int] = field(default_factory=dict)

    @property
    def is_kept(self) -> bool:
        """Whether every promise was kept."""
        return not any(self.broken.values())

    def as_json(self) -> str:
        return json.dumps(asdict(self), indent=1, ensure_ascii=False)

    def as_text(self) -> str:
        lines = [
            f"seed {self.seed}, {self.database}, {self.gateway} gateway, "
            f"web, worker and beat {self.sets} times: {self.messages} messages, "
            f"{self.inbound} inbound, {sum(self.faults.values())} faults "
            f"(up to {self.most_at_once} at once) in {self.seconds:.0f} s",
            f"faults: {_list(self.faults)}",
            f"faults that did not strike: {'; '.join(self.faults_missed) or 'none'}",
            f"promises: {_list({name: len(found) for name, found in self.broken.items()})}",
            f"final states: {_list(self.states)}; given up: {_list(self.gave_up)}",
            f"answers: {_list(self.answers)}; slowest {self.slowest_answer:.1f} s",
            f"all answered {self.written_after:.1f} s after the last fault, and all settled "
            f"{_seconds(self.settled_after)} after that",
            f"from the answer to mapped, in seconds: {_list(self.answer_to_mapped)}",
            f"streams: {_list(self.streams)}",
        ]
        for name, before in self.held.get("before", {}).items():
            after = self.held.get("after", {}).get(name, {})
            lines.append(f"{name}: {_list(before)} → {_list(after)}")
        lines.append(f"grown: {'; '.join(self.grown) or 'nothing'}")
        for name, found in self.broken.items():
            lines += [f"BROKEN {name}: {sentence}" for sentence in found[:SHOWN]]
        return "\n".join(lines)


def describe(report: Report, records: Records) -> None:
    """Fill in what the records tell beside broken promises."""
    report.messages, report.inbound = len(records.answered), len(records.received)
    report.states = dict(Counter(str(row["dispatch"]) for row in records.outbound))
    report.gave_up = dict(
        Counter(
            f"{row['dispatch']} {row['error_code']}"
            for row in records.outbound
            if row["dispatch"] in ("failed", "unknown")
        )
    )
    report.answer_to_mapped = _waits(records)


def _waits(records: Records) -> dict[str, float]:
    answered = {answer.id: answer.at for answer in records.answered}
    waits = []
    for message_id, events in records.events_by_message("message_status").items():
        mapped = [event for event in events if event["whatsapp_id"]]
        if mapped and message_id in answered:
            waits.append(_moment(mapped[0]["created_at"]) - answered[message_id])
    if len(waits) < 2:
        return {}
    cuts = quantiles(waits, n=20)
    named = (("median", cuts[9]), ("p95", cuts[18]), ("max", max(waits)))
    return {name: round(max(0.0, seconds), 2) for name, seconds in named}


def _moment(value: object) -> float:
    moment = value if isinstance(value, datetime) else datetime.fromisoformat(str(value))
    return moment.replace(tzinfo=UTC).timestamp()


def _list(things: dict[str, float] | dict[str, int]) -> str:
    return ", ".join(f"{name} {value:g}" for name, value in things.items()) or "none"


def _seconds(value: float | None) -> str:
    return "never" if value is None else f"{value:.1f} s"
