"""The estate map as mermaid text, which JupyterLab draws in the page's own colours."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from labsim.charts import palette, words
from labsim.charts.boxes import ClientBox, ResourceBox, client_boxes, resource_boxes

if TYPE_CHECKING:
    from labsim.charts.estate_map import EstateMap

_ESCAPES = {ord(c): f"#{ord(c)};" for c in '"<>#&;{}[]()|`\\'}


def text(shown: EstateMap) -> str:
    """Return the map as mermaid text."""
    clients, resources = client_boxes(shown), resource_boxes(shown)
    lines = ["flowchart LR", f"accTitle: {_plain(shown.title)}", f"accDescr: {_plain(shown.alt)}"]
    lines.append('subgraph clients["workloads and agents"]')
    for number, box in enumerate(clients):
        shape = "([{}])" if box.first.kind == "agent" else "[{}]"
        lines.append(f"  c{number}{shape.format(_quoted(box.title, shown.held(box.first)))}")
    lines += ["end", 'as["Authorization server"]', 'subgraph resources["resource servers"]']
    for number, each in enumerate(resources):
        told = [each.told(shown)] if each.told(shown) else []
        lines.append(f"  r{number}[({_quoted(each.title, *told)})]")
    lines.append("end")
    lines += _calls(shown, clients, resources)
    return "\n".join([*lines, *_losses(shown, clients, resources)] if shown.stolen else lines)


def _quoted(*lines: str) -> str:
    # Mermaid reads text as markup: a title must not be able to end its box or bring a tag.
    return '"' + "<br/>".join(line.translate(_ESCAPES) for line in lines) + '"'


def _plain(text: str) -> str:
    return "".join("," if character in "{};#\n" else character for character in text)


def _calls(
    shown: EstateMap, clients: Sequence[ClientBox], resources: Sequence[ResourceBox]
) -> list[str]:
    lines = ["as -. tokens .-> clients"]
    coloured: dict[str, list[int]] = {}
    for c, box in enumerate(clients):
        for r, each in enumerate(resources):
            if box.calls(each):
                binding = shown.binding(box.first)
                coloured.setdefault(palette.mark(binding).colour, []).append(len(lines))
                lines.append(f"c{c} -->|{_quoted(words.binding(binding))}| r{r}")
    for colour, numbers in coloured.items():
        places = ",".join(str(number) for number in numbers)
        lines.append(f"linkStyle {places} stroke:{colour},stroke-width:2px")
    return lines


def _losses(
    shown: EstateMap, clients: Sequence[ClientBox], resources: Sequence[ResourceBox]
) -> list[str]:
    lines = ['subgraph outside["outside"]', '  thief{{"Attacker"}}', "end"]
    robbed = [n for n, box in enumerate(clients) if box.first.name in shown.stolen]
    lines += [f"c{n} -. {_quoted(shown.loss(clients[n].first))} .-> thief" for n in robbed]
    for number, each in enumerate(resources):
        if each.fell(shown):
            count = each.served(shown)
            label = f"|{_quoted(f'{count} records')}|" if count else ""
            lines.append(f"thief ==>{label} r{number}")
    lines.append("classDef robbed stroke-width:4px,stroke-dasharray:6 3")
    lines.append(f"class {','.join(f'c{n}' for n in robbed)},thief robbed")
    return lines
