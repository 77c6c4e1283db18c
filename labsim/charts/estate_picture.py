"""The estate map with a fixed place for each box: clients left, resource servers right.

The authorization server stands above, the attacker below, so that no line between a client and a
resource server has to pass behind a box. A large estate is drawn denser: a line a box, and one
box for clients that nobody robbed and that differ in their names only.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING, Any, Final

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import FancyBboxPatch, PathPatch
from matplotlib.path import Path

from labsim.charts import palette, style, words

if TYPE_CHECKING:
    from labsim.charts.estate_map import EstateMap
    from labsim.estate.plan import Client, Resource

WIDTH: Final = 10.4
BOX: Final = 3.0
LEFT: Final = 0.4
RIGHT: Final = WIDTH - LEFT - BOX
ATTACKER: Final = 0.46
GAP: Final = 0.1
LOSS: Final = 0.17
ZONE: Final = 0.3
MIDDLE: Final = (LEFT + BOX + 0.75, RIGHT - 0.75)
MANY: Final = 30
"""Boxes on one side above which they are drawn denser."""


@dataclass(frozen=True, slots=True)
class _Drawn:
    """Hold the map, the size of its boxes, and which clients share one; the first names it."""

    shown: EstateMap
    dense: bool
    boxes: tuple[tuple[Client, ...], ...]

    @property
    def high(self) -> float:
        return 0.26 if self.dense else 0.46

    def height(self, client: Client) -> float:
        return self.high + (LOSS if client.name in self.shown.stolen else 0)


def _drawn(shown: EstateMap) -> _Drawn:
    dense = max(len(shown.clients), len(shown.resources)) > MANY
    alike: dict[Any, list[Client]] = {}
    for client in shown.clients:
        same = client.kind, shown.held(client), client.calls
        robbed = client.name in shown.stolen
        alike.setdefault(same if dense and not robbed else client.name, []).append(client)
    return _Drawn(shown, dense, tuple(tuple(box) for box in alike.values()))


@style.settings()
def draw(shown: EstateMap) -> Figure:
    """Draw the map."""
    title, drawn = shown.title, _drawn(shown)
    zones = [list(group) for _, group in groupby(shown.resources, key=lambda each: each.zone)]
    heights = [drawn.height(box[0]) + GAP for box in drawn.boxes]
    step = drawn.high + GAP
    right = step * len(shown.resources) + ZONE * len(zones)
    body = max(sum(heights), right)
    top = style.heading_height(WIDTH, title) + 0.95
    below = 1.15 if shown.stolen else 0.25
    figure, axes = style.sheet(WIDTH, top + body + below)
    style.heading(axes, WIDTH, title)
    _frame(axes, LEFT, top, body, "workloads and agents")
    _frame(axes, RIGHT, top, body, "resource servers")
    if shown.issuer:
        _server(axes, top)
    start = top + (body - sum(heights)) / 2
    clients = {box[0].name: start + sum(heights[:n]) for n, box in enumerate(drawn.boxes)}
    resources = _places(zones, top + (body - right) / 2, step)
    middle = drawn.high / 2
    for client, resource in shown.calls:
        if client.name in clients:
            mark = palette.mark(shown.binding(client))
            ends = (LEFT + BOX, clients[client.name]), (RIGHT, resources[resource.name])
            _line(axes, *ends, (middle, middle), edgecolor=mark.colour, linewidth=1.6)
    if shown.stolen:
        _attacker(axes, drawn, top + body + 0.3, clients, resources)
    for box in drawn.boxes:
        _client(axes, clients[box[0].name], box, drawn)
    for group in zones:
        zone = words.plain(group[0].zone)
        y = resources[group[0].name] - ZONE + 0.15
        style.write(axes, RIGHT, y, style.wrapped(zone, BOX, 7.5, 1)[0], 7.5, "muted")
        for resource in group:
            _resource(axes, resources[resource.name], resource, drawn)
    return figure


def _places(zones: list[list[Resource]], y: float, step: float) -> dict[str, float]:
    places = {}
    for group in zones:
        y += ZONE
        for resource in group:
            places[resource.name] = y
            y += step
    return places


def _frame(axes: Axes, x: float, y: float, height: float, label: str) -> None:
    style.box(axes, x - 0.15, y - 0.12, BOX + 0.3, height + 0.14, "band", zorder=0)
    style.write(axes, x, y - 0.25, label, 8.5, "muted", weight="bold")


def _card(axes: Axes, x: float, y: float, width: float, height: float, **how: Any) -> None:
    how = {"facecolor": palette.LIGHT["paper"], "edgecolor": palette.LIGHT["muted"]} | how
    shape = "round,pad=0,rounding_size=0.05"
    axes.add_patch(FancyBboxPatch((x, y), width, height, boxstyle=shape, zorder=3, **how))


def _server(axes: Axes, top: float) -> None:
    x, width = MIDDLE[0], MIDDLE[1] - MIDDLE[0]
    y = top - 0.75
    _card(axes, x, y, width, ATTACKER)
    middle = x + width / 2
    style.write(
        axes, middle, y + 0.15, "Authorization server", ha="center", weight="bold", zorder=4
    )
    style.write(axes, middle, y + 0.33, "issues the tokens", 7.5, "muted", ha="center", zorder=4)
    _arrow(axes, (x, y + 0.23), (LEFT + BOX - 0.2, top - 0.12), palette.LIGHT["muted"])


def _arrow(axes: Axes, start: tuple[float, float], end: tuple[float, float], colour: str) -> None:
    how = {"arrowstyle": "-|>", "color": colour, "linewidth": 1.0, "linestyle": "--"}
    axes.annotate("", end, start, arrowprops={**how, "shrinkA": 0, "shrinkB": 0})


def _line(
    axes: Axes,
    start: tuple[float, float],
    end: tuple[float, float],
    down: tuple[float, float],
    **how: Any,
) -> None:
    """Draw from box to box; `down` is how far below their upper edges the line begins and ends."""
    (x, y), (to_x, to_y) = (start[0], start[1] + down[0]), (end[0], end[1] + down[1])
    bend = (to_x - x) * 0.45
    points = [(x, y), (x + bend, y), (to_x - bend, to_y), (to_x, to_y)]
    path = Path(points, [Path.MOVETO, Path.CURVE4, Path.CURVE4, Path.CURVE4])
    axes.add_patch(PathPatch(path, facecolor="none", zorder=2, **{"alpha": 0.85, **how}))


def _fallen(yes: bool) -> dict[str, Any]:
    return {"edgecolor": palette.LIGHT["served"], "linewidth": 2.2} if yes else {}


def _client(axes: Axes, y: float, box: tuple[Client, ...], drawn: _Drawn) -> None:
    shown, client = drawn.shown, box[0]
    robbed = client.name in shown.stolen
    _card(axes, LEFT, y, BOX, drawn.height(client), **_fallen(robbed))
    mark = palette.mark(shown.binding(client))
    first = y + (drawn.high / 2 if drawn.dense else 0.15)
    axes.plot([LEFT + 0.17], [first], mark.marker, color=mark.colour, markersize=6, zorder=4)
    place, room = (LEFT + 0.32, first), BOX - 0.4
    if drawn.dense:
        binding = words.capital(words.binding(shown.binding(client)))
        aside = f"{binding}, {len(box)} alike" if len(box) > 1 else binding
        _titled(axes, place, room, client.title, (aside, "muted"))
    else:
        agent = "agent" if client.kind == "agent" else ""
        _titled(axes, place, room, client.title, (agent, "muted"))
        line = style.wrapped(shown.held(client), room, 7.5, 1)[0]
        style.write(axes, LEFT + 0.32, y + 0.33, line, 7.5, "muted", zorder=4)
    if robbed:
        loss = shown.loss(client)
        if style.text_width(loss, 7.5) > room:
            loss = f"robbed in {len(shown.stolen[client.name])} ways"
        style.write(axes, LEFT + 0.32, y + drawn.high + 0.04, loss, 7.5, zorder=4)


def _titled(
    axes: Axes, at: tuple[float, float], room: float, title: str, aside: tuple[str, str]
) -> None:
    """Write a title in bold and at the right of the same line, if there is any, something else."""
    text, colour = aside
    wide = min(style.text_width(text, 7.5) + 0.1, 0.55 * room) if text else 0.0
    name = style.wrapped(title, room - wide, 8.5, 1, bold=True)[0]
    style.write(axes, *at, name, weight="bold", zorder=4)
    if text:
        line = style.wrapped(text, wide, 7.5, 1)[0]
        style.write(axes, at[0] + room, at[1], line, 7.5, colour, ha="right", zorder=4)


def _resource(axes: Axes, y: float, resource: Resource, drawn: _Drawn) -> None:
    shown, told = drawn.shown, resource.name in drawn.shown.served
    fell = told and shown.served[resource.name] != 0
    _card(axes, RIGHT, y, BOX, drawn.high, **_fallen(fell))
    records, colour = f"{len(resource.records)} records", "ink" if told else "muted"
    room = BOX - 0.24
    if drawn.dense:
        count = shown.served.get(resource.name)
        aside = f"{count} of {records}" if count is not None else records
        line = "served" if told and count is None else aside
        _titled(axes, (RIGHT + 0.12, y + drawn.high / 2), room, resource.title, (line, colour))
        return
    _titled(axes, (RIGHT + 0.12, y + 0.15), room, resource.title, ("", colour))
    line = shown.fall(resource) if told else records
    style.write(axes, RIGHT + 0.12, y + 0.33, line, 7.5, colour, zorder=4)


def _attacker(
    axes: Axes,
    drawn: _Drawn,
    y: float,
    clients: Mapping[str, float],
    resources: Mapping[str, float],
) -> None:
    shown, half = drawn.shown, drawn.high / 2
    x, width = MIDDLE[0], MIDDLE[1] - MIDDLE[0]
    dark = palette.LIGHT["served"]
    thin, alpha = (0.6, 0.4) if drawn.dense else (1.0, 0.85)
    for name in shown.stolen:
        how = {"edgecolor": dark, "linewidth": 1.4 * thin, "linestyle": "--", "alpha": alpha}
        _line(axes, (LEFT + BOX, clients[name]), (x, y), (half, ATTACKER / 2), **how)
    for name, count in shown.served.items():
        if count != 0:
            how = {"edgecolor": dark, "linewidth": 2.4 * thin, "alpha": alpha}
            _line(axes, (x + width, y), (RIGHT, resources[name]), (ATTACKER / 2, half), **how)
    _card(axes, x, y, width, ATTACKER, facecolor=dark, edgecolor=dark)
    middle = x + width / 2
    style.write(
        axes, middle, y + 0.15, "Attacker", 8.5, "on-served", ha="center", weight="bold", zorder=4
    )
    many = f"robbed {len(shown.stolen)} client{'s' if len(shown.stolen) > 1 else ''}"
    style.write(axes, middle, y + 0.33, many, 7.5, "on-served", ha="center", zorder=4)
