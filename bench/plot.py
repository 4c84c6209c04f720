"""A drawing of how long something takes against how many users there are, both by powers of ten, as SVG."""

import math
from collections.abc import Iterator, Mapping, Sequence
from html import escape
from typing import Final

import msgspec

_COLOURS: Final = (
    "#1b6ca8", "#c2410c", "#2e7d32", "#7b3fa0", "#b8860b", "#00838f", "#ad1457", "#5d4037", "#455a64", "#6d8b00",
)  # fmt: skip
_DASHES: Final = ("", "6 3", "2 3")
_PANEL_WIDTH: Final = 420
_PANEL_HEIGHT: Final = 360
_LEFT: Final = 62
_TOP: Final = 44
_GAP: Final = 60
_LEGEND_LINE: Final = 18
_NAMES: Final = {3: "1,000", 4: "10k", 5: "100k", 6: "1M", 7: "10M", 8: "100M"}


class Line(msgspec.Struct, frozen=True):
    """One case: milliseconds by the number of users."""

    name: str
    points: Mapping[int, float]


class _Scale(msgspec.Struct, frozen=True):
    """Powers of ten onto a length."""

    low: int
    high: int
    start: float
    length: float

    def at(self, value: float) -> float:
        """Return where a value stands."""
        share = (math.log10(value) - self.low) / (self.high - self.low)
        return self.start + share * self.length

    @property
    def powers(self) -> range:
        """Every power of ten that is on it."""
        return range(self.low, self.high + 1)


def draw(panels: Mapping[str, Sequence[Line]]) -> str:
    """Return an SVG of one panel for each title, side by side with the same axes, and what the lines are below."""
    drawn = {title: [line for line in lines if line.points] for title, lines in panels.items()}
    names = list(dict.fromkeys(line.name for lines in drawn.values() for line in lines))
    values = [value for lines in drawn.values() for line in lines for value in line.points.values()]
    sizes = [size for lines in drawn.values() for line in lines for size in line.points]
    if not values:
        return _document(["<text x='20' y='40'>Nothing was measured.</text>"], 320, 60)
    low, high = math.floor(math.log10(min(values))), math.ceil(math.log10(max(values)))
    first, last = math.floor(math.log10(min(sizes))), math.ceil(math.log10(max(sizes)))
    parts: list[str] = []
    for number, (title, lines) in enumerate(drawn.items()):
        left = _LEFT + number * (_PANEL_WIDTH + _GAP)
        across = _Scale(first, max(last, first + 1), left, _PANEL_WIDTH)
        up = _Scale(low, max(high, low + 1), _TOP + _PANEL_HEIGHT, -_PANEL_HEIGHT)
        parts += _axes(title, across, up)
        for line in lines:
            parts += _line(line, names.index(line.name), across, up)
    parts += _legend(names)
    width = _LEFT + len(drawn) * (_PANEL_WIDTH + _GAP)
    height = _TOP + _PANEL_HEIGHT + 56 + (len(names) + 1) // 2 * _LEGEND_LINE
    return _document(parts, width, height)


def _axes(title: str, across: _Scale, up: _Scale) -> Iterator[str]:
    bottom, left, right = up.start, across.start, across.start + across.length
    yield f"<text x='{left:.0f}' y='{_TOP - 16}' font-weight='bold'>{escape(title)}</text>"
    for power in across.powers:
        x = across.at(10.0**power)
        yield f"<line x1='{x:.1f}' y1='{_TOP}' x2='{x:.1f}' y2='{bottom:.1f}' stroke='#ddd'/>"
        name = _NAMES.get(power, f"10^{power}")
        yield f"<text x='{x:.1f}' y='{bottom + 18:.1f}' text-anchor='middle'>{name}</text>"
    for power in up.powers:
        y = up.at(10.0**power)
        yield f"<line x1='{left:.1f}' y1='{y:.1f}' x2='{right:.1f}' y2='{y:.1f}' stroke='#ddd'/>"
        yield f"<text x='{left - 8:.1f}' y='{y + 4:.1f}' text-anchor='end'>{10.0**power:g} ms</text>"


def _line(line: Line, number: int, across: _Scale, up: _Scale) -> Iterator[str]:
    colour, dash = _style(number)
    points = [(across.at(size), up.at(value)) for size, value in sorted(line.points.items())]
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    yield f"<polyline points='{path}' fill='none' stroke='{colour}' stroke-width='1.8' stroke-dasharray='{dash}'/>"
    for x, y in points:
        yield f"<circle cx='{x:.1f}' cy='{y:.1f}' r='2.6' fill='{colour}'><title>{escape(line.name)}</title></circle>"


def _legend(names: Sequence[str]) -> Iterator[str]:
    top = _TOP + _PANEL_HEIGHT + 46
    for number, name in enumerate(names):
        colour, dash = _style(number)
        x, y = _LEFT + number % 2 * (_PANEL_WIDTH + _GAP) * 0.9, top + number // 2 * _LEGEND_LINE
        yield (
            f"<line x1='{x:.0f}' y1='{y - 4}' x2='{x + 26:.0f}' y2='{y - 4}' stroke='{colour}' stroke-width='2' "
            f"stroke-dasharray='{dash}'/><text x='{x + 34:.0f}' y='{y}'>{escape(name)}</text>"
        )


def _style(number: int) -> tuple[str, str]:
    return _COLOURS[number % len(_COLOURS)], _DASHES[number // len(_COLOURS) % len(_DASHES)]


def _document(parts: Sequence[str], width: float, height: float) -> str:
    head = (
        f"<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 {width:.0f} {height:.0f}' width='{width:.0f}' "
        f"height='{height:.0f}' font-family='sans-serif' font-size='12'>"
    )
    background = f"<rect width='{width:.0f}' height='{height:.0f}' fill='white'/>"
    return "\n".join([head, background, *parts, "</svg>", ""])
