"""The estate map with a fixed place for each box: clients left, resource servers right.

The authorization server stands above, the attacker below, so that no line between a client and a
resource server has to pass behind a box.
"""

from __future__ import annotations

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
HIGH: Final = 0.46
STEP: Final = 0.56
ZONE: Final = 0.3
MIDDLE: Final = (LEFT + BOX + 0.75, RIGHT - 0.75)


@style.settings()
def draw(shown: EstateMap) -> Figure:
    """Draw the map."""
    title = shown.title
    zones = [list(group) for _, group in groupby(shown.resources, key=lambda each: each.zone)]
    heights = [_high(client, shown) + STEP - HIGH for client in shown.clients]
    body = max(sum(heights), STEP * len(shown.resources) + ZONE * len(zones))
    top = style.heading_height(WIDTH, title) + 0.95
    below = 1.15 if shown.stolen else 0.25
    figure, axes = style.sheet(WIDTH, top + body + below)
    style.heading(axes, WIDTH, title)
    _frame(axes, LEFT, top, body, "workloads and agents")
    _frame(axes, RIGHT, top, body, "resource servers")
    _server(axes, top)
    start = top + (body - sum(heights)) / 2
    clients = {c.name: start + sum(heights[:n]) for n, c in enumerate(shown.clients)}
    resources = _places(zones, top + (body - STEP * len(shown.resources) - ZONE * len(zones)) / 2)
    for client, resource in shown.calls:
        mark = palette.mark(shown.binding(client))
        ends = (LEFT + BOX, clients[client.name]), (RIGHT, resources[resource.name])
        _line(axes, *ends, edgecolor=mark.colour, linewidth=1.6)
    if shown.stolen:
        _attacker(axes, shown, top + body + 0.3, clients, resources)
    for client in shown.clients:
        _client(axes, clients[client.name], client, shown)
    for group in zones:
        zone = words.plain(group[0].zone)
        y = resources[group[0].name] - ZONE + 0.15
        style.write(axes, RIGHT, y, style.wrapped(zone, BOX, 7.5, 1)[0], 7.5, "muted")
        for resource in group:
            _resource(axes, resources[resource.name], resource, shown)
    return figure


def _places(zones: list[list[Resource]], y: float) -> dict[str, float]:
    places = {}
    for group in zones:
        y += ZONE
        for resource in group:
            places[resource.name] = y
            y += STEP
    return places


def _frame(axes: Axes, x: float, y: float, height: float, label: str) -> None:
    style.box(axes, x - 0.15, y - 0.12, BOX + 0.3, height + 0.14, "band", zorder=0)
    style.write(axes, x, y - 0.25, label, 8.5, "muted", weight="bold")


def _high(client: Client, shown: EstateMap) -> float:
    return HIGH + (0.17 if client.name in shown.stolen else 0)


def _card(axes: Axes, x: float, y: float, width: float, height: float = HIGH, **how: Any) -> None:
    how = {"facecolor": palette.LIGHT["paper"], "edgecolor": palette.LIGHT["muted"]} | how
    shape = "round,pad=0,rounding_size=0.05"
    axes.add_patch(FancyBboxPatch((x, y), width, height, boxstyle=shape, zorder=3, **how))


def _server(axes: Axes, top: float) -> None:
    x, width = MIDDLE[0], MIDDLE[1] - MIDDLE[0]
    y = top - 0.75
    _card(axes, x, y, width)
    middle = x + width / 2
    style.write(
        axes, middle, y + 0.15, "Authorization server", ha="center", weight="bold", zorder=4
    )
    style.write(axes, middle, y + 0.33, "issues the tokens", 7.5, "muted", ha="center", zorder=4)
    _arrow(axes, (x, y + 0.23), (LEFT + BOX - 0.2, top - 0.12), palette.LIGHT["muted"])


def _arrow(axes: Axes, start: tuple[float, float], end: tuple[float, float], colour: str) -> None:
    how = {"arrowstyle": "-|>", "color": colour, "linewidth": 1.0, "linestyle": "--"}
    axes.annotate("", end, start, arrowprops={**how, "shrinkA": 0, "shrinkB": 0})


def _line(axes: Axes, start: tuple[float, float], end: tuple[float, float], **how: Any) -> None:
    (x, y), (to_x, to_y) = (start[0], start[1] + HIGH / 2), (end[0], end[1] + HIGH / 2)
    bend = (to_x - x) * 0.45
    points = [(x, y), (x + bend, y), (to_x - bend, to_y), (to_x, to_y)]
    path = Path(points, [Path.MOVETO, Path.CURVE4, Path.CURVE4, Path.CURVE4])
    axes.add_patch(PathPatch(path, facecolor="none", zorder=2, **{"alpha": 0.85, **how}))


def _fallen(yes: bool) -> dict[str, Any]:
    return {"edgecolor": palette.LIGHT["served"], "linewidth": 2.2} if yes else {}


def _client(axes: Axes, y: float, client: Client, shown: EstateMap) -> None:
    robbed = client.name in shown.stolen
    _card(axes, LEFT, y, BOX, _high(client, shown), **_fallen(robbed))
    mark = palette.mark(shown.binding(client))
    axes.plot([LEFT + 0.17], [y + 0.15], mark.marker, color=mark.colour, markersize=6, zorder=4)
    room = BOX - 0.4
    name = style.wrapped(client.title, room - (0.5 if client.kind == "agent" else 0), 8.5, 1, True)
    style.write(axes, LEFT + 0.32, y + 0.15, name[0], weight="bold", zorder=4)
    if client.kind == "agent":
        style.write(axes, LEFT + BOX - 0.08, y + 0.15, "agent", 7.5, "muted", ha="right", zorder=4)
    held = style.wrapped(shown.held(client), room, 7.5, 1)[0]
    style.write(axes, LEFT + 0.32, y + 0.33, held, 7.5, "muted", zorder=4)
    if robbed:
        loss = style.wrapped(shown.loss(client), room, 7.5, 1)[0]
        style.write(axes, LEFT + 0.32, y + 0.5, loss, 7.5, zorder=4)


def _resource(axes: Axes, y: float, resource: Resource, shown: EstateMap) -> None:
    told = resource.name in shown.served
    _card(axes, RIGHT, y, BOX, **_fallen(told and shown.served[resource.name] != 0))
    name = style.wrapped(resource.title, BOX - 0.2, 8.5, 1, bold=True)[0]
    style.write(axes, RIGHT + 0.12, y + 0.15, name, weight="bold", zorder=4)
    line = shown.fall(resource) if told else f"{len(resource.records)} records"
    style.write(axes, RIGHT + 0.12, y + 0.33, line, 7.5, "ink" if told else "muted", zorder=4)


def _attacker(
    axes: Axes,
    shown: EstateMap,
    y: float,
    clients: dict[str, float],
    resources: dict[str, float],
) -> None:
    x, width = MIDDLE[0], MIDDLE[1] - MIDDLE[0]
    dark = palette.LIGHT["served"]
    for name in shown.stolen:
        ends = (LEFT + BOX, clients[name]), (x, y)
        _line(axes, *ends, edgecolor=dark, linewidth=1.4, linestyle="--")
    for name, count in shown.served.items():
        if count != 0:
            _line(axes, (x + width, y), (RIGHT, resources[name]), edgecolor=dark, linewidth=2.4)
    _card(axes, x, y, width, facecolor=dark, edgecolor=dark)
    middle = x + width / 2
    style.write(
        axes, middle, y + 0.15, "Attacker", 8.5, "on-served", ha="center", weight="bold", zorder=4
    )
    many = f"robbed {len(shown.stolen)} client{'s' if len(shown.stolen) > 1 else ''}"
    style.write(axes, middle, y + 0.33, many, 7.5, "on-served", ha="center", zorder=4)
