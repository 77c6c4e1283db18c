"""What can be chosen in the control panel, what cannot and why, and the choice as code.

Nothing here knows a widget, and nothing is stolen or sent.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from labsim.blast.first_loot import CUSTODIES
from labsim.charts import words
from labsim.credentials import ACCESS_TOKEN
from labsim.estate.names import AUTHORIZATION_SERVER, TERMINATOR
from labsim.estate.plan import Client, Plan
from labsim.loot import Kind
from labsim.panel.rehearsal import Rehearsal, kinds, reason
from labsim.preset import Preset, Role, presets
from labsim.roles.token_exchange import EXCHANGE_CHECKS
from labsim.rooms import rooms
from labsim.round_table import DOING

NONE: Final = "none"
BASE: Final = "base"
HELD: Final = "unspent"
_ROLES: Final = {Role.AUTHORIZATION_SERVER: AUTHORIZATION_SERVER, Role.PROXY: TERMINATOR}
"""Who makes a preset's mistake, where it is not the resource server that is asked."""
FAVOURITE: Final = "ci-runner"
"""The client of ticket 4127: it is robbed wherever a story has it robbed in that way."""
UNKNOWN: Final = "I do not know"
"""The prediction of somebody who has none, which is an answer too."""
_WITHOUT_PROOF: Final = {
    "dpop": "proof_is_there",
    "mtls": "certificate_is_shown",
    "http_signature": "signature_is_there",
}
"""What refuses a request that brings no proof at all, by binding: no check of a list."""


@dataclass(frozen=True, slots=True)
class Choice:
    """Hold what is chosen, each by its name in the code."""

    theft: str = "wiretap"
    binding: str = "bearer"
    custody: str = NONE
    replay: str = "token_as_is"
    preset: str = NONE


@dataclass(frozen=True, slots=True)
class Option:
    """Hold one thing that could be chosen: its name, its words, and why it cannot be, if so."""

    name: str
    label: str
    reason: str = ""


def client_of(plan: Plan, theft: str) -> Client:
    """Return whom this theft robs in the panel: the client of the first story that has it.

    Ticket 4127's own is taken where there is a choice.
    """
    robbed = [story.client for story in plan.stories.values() if theft in story.thefts]
    return plan.client(FAVOURITE if FAVOURITE in robbed else robbed[0])


# What can be chosen.


def options(plan: Plan, choice: Choice) -> Mapping[str, tuple[Option, ...]]:
    """Return for each field what there is, in the reader's order, given all else that is chosen."""
    return {field: tuple(of(plan, choice)) for field, of in _OPTIONS.items()}


def _thefts(plan: Plan, _choice: Choice) -> Iterator[Option]:
    there = dict.fromkeys(theft for story in plan.stories.values() for theft in story.thefts)
    yield from (Option(n, words.theft_told(n)) for n in words.in_order("theft", list(there)))


def _bindings(_plan: Plan, _choice: Choice) -> Iterator[Option]:
    there = list(rooms("labsim.bindings", "BINDING"))
    yield from (Option(name, words.binding(name)) for name in words.in_order("binding", there))


def _custodies(_plan: Plan, choice: Choice) -> Iterator[Option]:
    for name in words.ORDER["custody"]:
        why = ""
        if name not in CUSTODIES.get(choice.binding, (name,)):
            none = "a bound token has a key, which lies somewhere"
            why = none if name == NONE else f"a {words.binding(choice.binding)} token has no key"
        yield Option(name, words.custody(name), why)


def _replays(plan: Plan, choice: Choice) -> Iterator[Option]:
    for name in words.in_order("replay", list(rooms("labsim.replays", "REPLAY"))):
        why = reason(_rehearsal(plan, replace(choice, replay=name)), name)
        yield Option(name, words.replay(name), why)


def _presets(plan: Plan, choice: Choice) -> Iterator[Option]:
    yield Option(NONE, "none: the lab's own checks")
    for name, preset in presets().items():
        yield Option(name, preset.title, _no_use(plan, choice, preset))


def _no_use(plan: Plan, choice: Choice, preset: Preset) -> str:
    """Return why a preset cannot be chosen, or would change nothing here; empty if it can."""
    if preset.too_strict or preset.own is not None:
        return "it is shown in a scene of its own: docs/museum.md"
    if preset.scene.binding != choice.binding:
        return f"it is a mistake about {words.binding(preset.scene.binding)}"
    if preset.scene.variant != BASE and _rehearsal(plan, choice).held:
        return "it needs other servers, and this replay needs an interceptor that holds back"
    return ""


_OPTIONS: Final[Mapping[str, Callable[[Plan, Choice], Iterator[Option]]]] = {
    "theft": _thefts,
    "binding": _bindings,
    "custody": _custodies,
    "replay": _replays,
    "preset": _presets,
}
FIELDS: Final = tuple(_OPTIONS)


def _rehearsal(plan: Plan, choice: Choice) -> Rehearsal:
    doing = DOING.get(choice.replay, "read")
    client = client_of(plan, choice.theft)
    taps = rooms("labsim.thefts", "THEFT")[choice.theft].gives == "interceptor"
    given = client, choice.theft, choice.binding, choice.custody, doing
    plain = Rehearsal(*given)
    # An interceptor can hold a request back; where a replay needs one that no server has had, so
    # it does. Whatever can be had without, is.
    held = Rehearsal(*given, held=True)
    needs = taps and reason(plain, choice.replay) and not reason(held, choice.replay)
    return held if needs else plain


def changed(plan: Plan, choice: Choice, field: str, name: str) -> Choice:
    """Return the choice with one field changed; what that makes impossible gives way.

    A field whose choice is no longer possible takes the first that is.
    """
    new = replace(choice, **{field: name})
    for later in FIELDS:
        possible = [each.name for each in _OPTIONS[later](plan, new) if not each.reason]
        if getattr(new, later) not in possible:
            new = replace(new, **{later: possible[0]})
    return new


def impossible(there: tuple[Option, ...]) -> str:
    """Say which options cannot be chosen, and why: those of one reason together."""
    by_reason: dict[str, list[str]] = {}
    for option in there:
        if option.reason:
            by_reason.setdefault(option.reason, []).append(option.label)
    return "; ".join(f"{why} ({', '.join(labels)})" for why, labels in by_reason.items())


# What may be predicted.


def predictable(choice: Choice) -> tuple[str, ...]:
    """Return the words that may be said of how this ends, the likeliest kinds first."""
    binding = rooms("labsim.bindings", "BINDING")[choice.binding]
    found = ["served", UNKNOWN]
    if choice.binding in _WITHOUT_PROOF:
        found += [_WITHOUT_PROOF[choice.binding], "scheme_is_the_bindings"]
    found += [check.name for check in binding.checks if check not in binding.introduction_checks]
    found += [check.name for check in ACCESS_TOKEN.checks]
    if choice.replay == "laundered_by_exchange":
        found += [check.name for check in EXCHANGE_CHECKS]
    return tuple(dict.fromkeys([*found, "refused_by_tls"]))


# The choice as a call.


@dataclass(frozen=True, slots=True)
class Steps:
    """Hold what is done for a choice, in order; `weakened` is the role that a preset is for."""

    client: str
    resource: str
    variant: str
    weakened: str
    steal: Mapping[str, str]
    evicts: bool
    seconds: float


def steps(plan: Plan, choice: Choice) -> Steps:
    """Return what a choice comes to."""
    rehearsal = _rehearsal(plan, choice)
    client, replay = rehearsal.client, rooms("labsim.replays", "REPLAY")[choice.replay]
    theft = rooms("labsim.thefts", "THEFT")[choice.theft]
    resource = client.calls[0]
    steal = {"by": choice.theft}
    if rehearsal.doing != "read":
        steal["doing"] = rehearsal.doing
    if rehearsal.held or rehearsal.doing != "read":
        steal["at"] = resource
    # A foothold is used while it lasts; everything else when the thief is long out again.
    in_place = Kind.FOOTHOLD in replay.needs
    evicts = Kind.FOOTHOLD in kinds(rehearsal) and not in_place
    late = 0.0 if in_place else theft.used_after(plan.token_seconds)
    variant = HELD if rehearsal.held else BASE
    weakened = ""
    if choice.preset != NONE:
        preset = presets()[choice.preset]
        weakened = _ROLES.get(preset.role, resource)
        variant = variant if rehearsal.held else preset.scene.variant
        late = max(late, preset.scene.after)
    return Steps(client.name, resource, variant, weakened, steal, evicts, late)


def call(plan: Plan, choice: Choice, predicted: str = "") -> str:
    """Return the choice as code that does the same with a notebook's own lab."""
    return "\n".join(_lines(steps(plan, choice), choice, predicted))


def _lines(what: Steps, choice: Choice, predicted: str) -> Iterator[str]:
    name = _quoted(what.client)
    if what.variant != BASE:
        yield f"lab.vary({_quoted(what.variant)})"
    custody = f", custody={_quoted(choice.custody)}" if choice.custody != NONE else ""
    yield f"lab.bind({name}, {_quoted(choice.binding)}{custody})"
    inner = ""
    if what.weakened:
        yield f"with lab.weakened({_quoted(what.weakened)}, preset={_quoted(choice.preset)}):"
        inner = "    "
    given = "".join(f", {key}={_quoted(value)}" for key, value in what.steal.items())
    yield f"{inner}loot = lab.attacker.steal({name}{given})"
    if what.evicts:
        yield f"{inner}lab.evict({name})"
    if what.seconds:
        yield f"{inner}lab.advance(seconds={what.seconds:g})"
    told = f", predicted={_quoted(predicted)}" if predicted and predicted != UNKNOWN else ""
    by = f"by={_quoted(choice.replay)}, against={_quoted(what.resource)}"
    yield f"{inner}result = lab.attacker.replay(loot[0], {by}{told})"
    if what.variant != BASE:
        yield f"lab.vary({_quoted(BASE)})"
    yield "result"


def _quoted(text: Any) -> str:
    return json.dumps(text)
