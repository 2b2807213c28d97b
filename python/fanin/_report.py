"""What reports have in common: plain data for JSON, tables and plots for notebooks. No package is needed for the plots."""

from __future__ import annotations

import math
from dataclasses import fields, is_dataclass
from html import escape
from typing import Any, Mapping, Optional, Sequence

from ._init import Init


def plain(value: Any) -> Any:
    """Dicts, lists, texts and numbers that JSON can hold: what is not finite is None, as in the command's JSON."""
    if is_dataclass(value) and not isinstance(value, type):
        return {field.name: plain(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, Mapping):
        return {str(key): plain(one) for key, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(one) for one in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return str(value) if isinstance(value, Init) else value


def columns_of(kind: type, rows: Sequence[Any]) -> dict[str, list[Any]]:
    """Layers as columns, beginning with their number: `pandas.DataFrame(columns)`."""
    columns = {field.name: [getattr(row, field.name) for row in rows] for field in fields(kind)}
    return {"layer": list(range(1, len(rows) + 1)), **columns}


def architecture(widths: Sequence[int]) -> str:
    """Widths as a short text: "64-300-10", "784-(30 x 100)-10"."""
    runs: list[tuple[int, int]] = []
    for width in widths:
        if runs and runs[-1][0] == width:
            runs[-1] = width, runs[-1][1] + 1
        else:
            runs.append((width, 1))
    texts = [text for width, n in runs for text in ([str(width)] * n if n < 3 else [f"({n} x {width})"])]
    return "-".join(texts if len(texts) <= 12 else [*texts[:6], "...", *texts[-5:]])


def _cell(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.4g}" if math.isfinite(value) else "–"
    return escape(str(value))


def table(columns: Mapping[str, Sequence[Any]]) -> str:
    """An HTML table; columns that say nothing of any row are left out."""
    told = {
        name: values
        for name, values in columns.items()
        if any(not isinstance(value, float) or math.isfinite(value) for value in values)
    }
    head = "".join(f"<th>{escape(name)}</th>" for name in told)
    rows = ("".join(f"<td>{_cell(value)}</td>" for value in row) for row in zip(*told.values()))
    return f"<table><thead><tr>{head}</tr></thead><tbody>{''.join(f'<tr>{row}</tr>' for row in rows)}</tbody></table>"


WIDTH, HEIGHT, LEFT, TOP, RIGHT, BOTTOM = 560, 240, 64, 24, 170, 36
COLOURS = (
    "#1f77b4",
    "#d62728",
    "#2ca02c",
    "#9467bd",
)  # one for each quantity: "q, measured" has that of "q, predicted"


def _logarithm(value: float) -> Optional[float]:
    return math.log10(value) if math.isfinite(value) and value > 0 else None


def plot(title: str, series: Mapping[str, Sequence[float]], dots: Sequence[str] = ()) -> str:
    """An SVG of positive numbers by layer on a logarithmic axis. Series named in `dots` are dots, the others lines."""
    logs = {name: [_logarithm(value) for value in values] for name, values in series.items()}
    logs = {name: values for name, values in logs.items() if any(value is not None for value in values)}
    known = [value for values in logs.values() for value in values if value is not None]
    if not known:
        return ""
    n = max(len(values) for values in logs.values())
    low, high = math.floor(min(known) - 0.05), math.ceil(max(known) + 0.05)

    def x(layer: int) -> float:
        return LEFT + (WIDTH - LEFT - RIGHT) * ((layer / (n - 1)) if n > 1 else 0.5)

    def y(value: float) -> float:
        return HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * (value - low) / (high - low)

    parts = [f'<text x="{LEFT}" y="15" font-weight="bold">{escape(title)}</text>']
    parts += _axes(n, low, high, x, y)
    quantities = list(dict.fromkeys(name.split(",")[0] for name in logs))
    for name, values in sorted(logs.items(), key=lambda one: one[0] in dots):  # dots over lines
        places = [(x(l), y(value)) for l, value in enumerate(values) if value is not None]
        colour = COLOURS[quantities.index(name.split(",")[0]) % len(COLOURS)]
        parts += _series(name, places, colour, name in dots, TOP + 14 + 18 * list(logs).index(name))
    body = "".join(parts)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{HEIGHT}" viewBox="0 0 {WIDTH} {HEIGHT}" '
        f'font-family="sans-serif" font-size="11"><rect width="{WIDTH}" height="{HEIGHT}" fill="white"/>{body}</svg>'
    )


def _axes(n: int, low: int, high: int, x: Any, y: Any) -> list[str]:
    """Grid lines at powers of ten, layers' numbers below."""
    parts = []
    for power in range(low, high + 1, max(1, (high - low) // 5)):
        at = y(power)
        parts.append(f'<line x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{at:.1f}" y2="{at:.1f}" stroke="#ddd"/>')
        parts.append(f'<text x="{LEFT - 6}" y="{at + 4:.1f}" text-anchor="end">1e{power}</text>')
    for layer in range(0, n, max(1, (n - 1) // 8)):
        parts.append(
            f'<text x="{x(layer):.1f}" y="{HEIGHT - BOTTOM + 14}" text-anchor="middle" fill="#333">{layer + 1}</text>'
        )
    middle = (LEFT + WIDTH - RIGHT) / 2
    return parts + [f'<text x="{middle}" y="{HEIGHT - 6}" text-anchor="middle" fill="#333">layer</text>']


def _series(name: str, places: Sequence[tuple[float, float]], colour: str, dotted: bool, legend: float) -> list[str]:
    """The marks of a series, and its line of the legend: a mark and the name. One place alone makes a short line."""
    left = WIDTH - RIGHT + 12
    text = f'<text x="{left + 24}" y="{legend}" fill="#333">{escape(name)}</text>'
    if dotted:
        marks = [*places, (left + 9, legend - 4)]
        return [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{colour}"/>' for x, y in marks] + [text]
    if len(places) == 1:
        places = [(places[0][0] - 9, places[0][1]), (places[0][0] + 9, places[0][1])]
    lines = [places, [(left, legend - 4), (left + 18, legend - 4)]]
    points = [" ".join(f"{x:.1f},{y:.1f}" for x, y in line) for line in lines]
    style = f'fill="none" stroke="{colour}" stroke-width="1.5" stroke-opacity="0.7"'
    return [f'<polyline points="{one}" {style}/>' for one in points] + [text]
