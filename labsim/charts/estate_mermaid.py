"""The estate map as mermaid text, which JupyterLab draws in the page's own colours."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from labsim.charts import palette, words
from labsim.charts.boxes import ClientBox, ResourceBox, client_boxes, resource_boxes
from labsim.charts.mermaid import plain, quoted

if TYPE_CHECKING:
    from labsim.charts.estate_map import EstateMap


def text(shown: EstateMap) -> str:
    """Return the map as mermaid text."""
    clients, resources = client_boxes(shown), resource_boxes(shown)
    lines = ["flowchart LR", f"accTitle: {plain(shown.title)}", f"accDescr: {plain(shown.alt)}"]
    places = []
    for number, box in enumerate(clients):
        shape = "([{}])" if box.first.kind == "agent" else "[{}]"
        places.append(f"  c{number}{shape.format(quoted(box.title, shown.held(box.first)))}")
    lines += _framed('clients["workloads and agents"]', places)
    if shown.issuer:
        lines.append('as["Authorization server"]')
    places = []
    for number, each in enumerate(resources):
        told = [each.told(shown)] if each.told(shown) else []
        places.append(f"  r{number}[({quoted(each.title, *told)})]")
    lines += _framed('resources["resource servers"]', places)
    lines += _calls(shown, clients, resources)
    return "\n".join([*lines, *_losses(shown, clients, resources)] if shown.stolen else lines)


def _framed(name: str, places: list[str]) -> list[str]:
    """Return boxes with a frame around them; a box by itself needs none."""
    return [f"subgraph {name}", *places, "end"] if len(places) > 1 else places


def _calls(
    shown: EstateMap, clients: Sequence[ClientBox], resources: Sequence[ResourceBox]
) -> list[str]:
    to = "clients" if len(clients) > 1 else "c0" if clients else ""
    lines = [f"as -. tokens .-> {to}"] if shown.issuer and to else []
    coloured: dict[str, list[int]] = {}
    for c, box in enumerate(clients):
        for r, each in enumerate(resources):
            if box.calls(each):
                binding = shown.binding(box.first)
                coloured.setdefault(palette.mark(binding).colour, []).append(len(lines))
                lines.append(f"c{c} -->|{quoted(words.binding(binding))}| r{r}")
    for colour, numbers in coloured.items():
        places = ",".join(str(number) for number in numbers)
        lines.append(f"linkStyle {places} stroke:{colour},stroke-width:2px")
    return lines


def _losses(
    shown: EstateMap, clients: Sequence[ClientBox], resources: Sequence[ResourceBox]
) -> list[str]:
    lines = ['thief{{"Attacker"}}']
    robbed = [n for n, box in enumerate(clients) if box.first.name in shown.stolen]
    lines += [f"c{n} -. {quoted(shown.loss(clients[n].first))} .-> thief" for n in robbed]
    for number, each in enumerate(resources):
        if each.fell(shown):
            count = each.served(shown)
            label = f"|{quoted(f'{count} records')}|" if count else ""
            lines.append(f"thief ==>{label} r{number}")
    lines.append("classDef robbed stroke-width:4px,stroke-dasharray:6 3")
    lines.append(f"class {','.join(f'c{n}' for n in robbed)},thief robbed")
    return lines
