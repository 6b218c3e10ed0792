"""Charts as SVG files that need nothing from the network."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import pygal
from pygal.style import Style

STYLE = Style(
    background="white",
    plot_background="white",
    font_family="system-ui, sans-serif",
    colors=("#0b7a4b", "#c2410c", "#6b7280", "#1d4ed8", "#a21caf"),
)
Series = Mapping[str, Sequence[float | None]]
"""By its name, one value for each label."""


def bars(file: Path, title: str, labels: Sequence[str], series: Series) -> None:
    """Bars side by side, on a logarithmic scale: what counts is how many times more."""
    chart = pygal.HorizontalBar(
        title=title,
        logarithmic=True,
        print_values=True,
        value_formatter=lambda value: f"{value:,.0f}",
        height=110 + 26 * len(labels) * (len(series) + 1),
        **_options(),
    )
    _draw(chart, file, labels, series)


def lines(file: Path, title: str, labels: Sequence[str], series: Series) -> None:
    """Lines from zero up."""
    chart = pygal.Line(
        title=title,
        range=(0, 1.15 * max(max(v or 0 for v in values) for values in series.values())),
        value_formatter=lambda value: f"{value:,.1f}",
        height=360,
        **_options(),
    )
    _draw(chart, file, labels, series)


def _options() -> dict[str, object]:
    return {
        "style": STYLE,
        "js": [],
        "width": 860,
        "legend_at_bottom": True,
        "disable_xml_declaration": True,
        "no_prefix": True,
    }


def _draw(chart: "pygal.Graph", file: Path, labels: Sequence[str], series: Series) -> None:
    chart.x_labels = list(labels)
    for name, values in series.items():
        chart.add(name, list(values))
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(chart.render(is_unicode=True) + "\n")
