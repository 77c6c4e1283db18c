"""The first alarm after a theft that the servers' own events justify, and what it saves.

What counts is what a holder does not do by itself. A token that is served is no evidence, whoever
sent it: a bearer replay looks like the holder, and so does a thief with the key or with a new
token. What is refused to everybody now and then (an expired token, a wrong scope, a clock that is
off, a nonce that is asked for, a token sent to the wrong server, a stranger whom TLS turns away)
is none either; a caller who thinks otherwise says so with `evidence`.

The holder's own request counts as well as the thief's. Under a wiretap, mTLS refuses the victim,
since the connection is the interceptor's; and where a proof was spent by somebody else first, the
victim's own is the replay.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from math import inf
from typing import Any, Final

import pandas as pd

from labsim.blast.means import Case, Countermeasures
from labsim.blast.over_time import over_time
from labsim.blast.predicted import Predictor


@dataclass(frozen=True, slots=True)
class Evidence:
    """Say that a refusal is evidence of a theft: for this reason, by these checks (any, if none).

    `why` says why no holder is refused so by itself; `source` is the document section.
    """

    reason: str
    why: str
    source: str
    checks: frozenset[str] = frozenset()

    def is_in(self, event: Mapping[str, Any]) -> bool:
        """Tell whether an event is such a refusal."""
        return (
            event.get("decision") == "rejected"
            and event.get("reason") == self.reason
            and (not self.checks or event.get("check") in self.checks)
        )


_WITHOUT = "whoever sent this token could not prove to be its holder"
_ELSEWHERE = "a holder signs each request anew; this proof was made for another one"
_FAMILY = frozenset({"refresh_token_is_unused"})
_WITHOUT_KEY = frozenset({"refresh_keeps_the_binding", "key_is_the_refresh_tokens"})
EVIDENCE: Final = (
    # By the binding. Only a bound token is refused so: a bearer token is asked for nothing more.
    Evidence(
        "BINDING_MISMATCH", "the token came with a key that is not its own", "RFC 9449 section 7.1"
    ),
    Evidence("SCHEME_MISMATCH", "a bound token came as a bearer token", "RFC 9449 section 7.2"),
    Evidence("PROOF_MISSING", _WITHOUT, "RFC 9449 section 7.1, RFC 8705 section 3"),
    Evidence("PROOF_SIGNATURE_INVALID", _WITHOUT, "RFC 9449 section 4.3 item 6"),
    Evidence("PROOF_REPLAYED", "one proof came twice", "RFC 9449 section 11.1"),
    Evidence("PROOF_METHOD_MISMATCH", _ELSEWHERE, "RFC 9449 section 4.3 item 8"),
    Evidence("PROOF_TARGET_MISMATCH", _ELSEWHERE, "RFC 9449 section 4.3 item 9"),
    Evidence("PROOF_CONTENT_MISMATCH", _ELSEWHERE, "RFC 9530 section 2"),
    Evidence("PROOF_TOKEN_MISMATCH", _ELSEWHERE, "RFC 9449 section 4.3 item 12"),
    Evidence("PROOF_KEY_REVOKED", "the key was withdrawn, and is used", "RFC 8705 section 7.5"),
    # By the authorization server.
    Evidence("GRANT_INVALID", "two hold one refresh token", "RFC 9700 section 4.14.2", _FAMILY),
    Evidence("GRANT_INVALID", _WITHOUT, "RFC 9449 section 5", _WITHOUT_KEY),
    Evidence("CLIENT_CREDENTIAL_INVALID", "somebody tries to be a client", "RFC 6749 section 5.2"),
)
"""What counts, and why. Where a server does not say which client it was, it counts for any."""

ALARM_DTYPES: Final = {
    "theft": "string",
    "custody": "string",
    "binding": "string",
    "client": "string",
    "seconds": "Float64",
    "reason": "string",
    "check": "string",
    "server": "string",
    "why": "string",
    "refusals": "int64",
}
SAVED_DTYPES: Final = {"alone": "int64", "exposed": "int64", "saved": "int64"}


@dataclass(frozen=True, slots=True)
class Alarm:
    """Hold the first alarm: when (lab seconds since the theft), where, by what, and why it is one.

    `client` is empty where the server could not say whose credential it was.
    """

    seconds: float
    server: str
    client: str
    reason: str
    check: str
    why: str


def first_alarm(
    events: Iterable[Mapping[str, Any]],
    since: float,
    clients: Collection[str] | None = None,
    until: float = inf,
    evidence: Iterable[Evidence] = EVIDENCE,
) -> Alarm | None:
    """Return the first event from `since` to before `until` that is evidence; None if none is.

    `events` are the servers' own (`labsim.roles.decision`), in any order; `since` and `until` are
    lab time as in their `time`; `clients` are those whose tokens were stolen, all if None.
    """
    found = _alarms(events, since, clients, until, tuple(evidence))
    return min(found, key=lambda alarm: alarm.seconds, default=None)


def _alarms(
    events: Iterable[Mapping[str, Any]],
    since: float,
    clients: Collection[str] | None,
    until: float,
    evidence: tuple[Evidence, ...],
) -> list[Alarm]:
    alarms = []
    for event in events:
        client = str(event.get("client_id", ""))
        another = client and clients is not None and client not in clients
        if another or not since <= event["time"] < until:
            continue
        rule = next((rule for rule in evidence if rule.is_in(event)), None)
        if rule is not None:
            where, check = str(event.get("name", "")), str(event.get("check", ""))
            after = float(event["time"]) - since
            alarms.append(Alarm(after, where, client, rule.reason, check, rule.why))
    return alarms


def time_to_alarm(
    events: Iterable[Mapping[str, Any]],
    robberies: Iterable[Mapping[str, Any]],
    evidence: Iterable[Evidence] = EVIDENCE,
) -> pd.DataFrame:
    """Return how long each theft went unnoticed; one row a robbery.

    `robberies` are rows with theft, custody, binding, client, `stolen_at` (lab time) and, where
    the same client is robbed again, `until` (lab time at which this robbery is over).

    Columns: theft, custody, binding, client (string); `seconds` (Float64), lab seconds from the
    theft to the first alarm, missing where there was none; `reason`, `check`, `server`, `why`
    (string), of that alarm, empty where there was none; `refusals` (int64), how many events were
    evidence in all.
    """
    known, rules, rows = list(events), tuple(evidence), []
    for robbery in robberies:
        client, end = str(robbery["client"]), robbery.get("until", inf)
        alarms = _alarms(known, float(robbery["stolen_at"]), {client}, end, rules)
        first = min(alarms, key=lambda alarm: alarm.seconds, default=None)
        names = tuple(str(robbery[name]) for name in ("theft", "custody", "binding"))
        said: tuple[Any, ...] = (pd.NA, "", "", "", "")
        if first is not None:
            said = (first.seconds, first.reason, first.check, first.server, first.why)
        rows.append((*names, client, *said, len(alarms)))
    return pd.DataFrame(rows, columns=list(ALARM_DTYPES)).astype(ALARM_DTYPES)


def saved(
    alarms: pd.DataFrame,
    predictor: Predictor,
    *,
    reaction: float,
    until: float,
    seconds_per_record: float,
    told_after: float = 0.0,
) -> pd.DataFrame:
    """Return what a responder who acts on the first alarm saves, in records; one row a robbery.

    `reaction` lab seconds after the alarm the responder revokes the robbed client's tokens (the
    resource servers know `told_after` later), replaces its credential, ends the foothold, and
    replaces the credentials that lay in records: the events say which were sent. Without an alarm
    nobody acts. How fast the thief reads (`seconds_per_record`) is an assumption; where it is 0,
    all is read before anybody could act. `until`: lab seconds since the theft that are looked at.

    Columns: those of `alarms` (a `time_to_alarm`), and int64: `alone`, records exposed if nobody
    acts; `exposed`, if the responder does; `saved`, the difference.
    """
    how = {"until": until, "seconds_per_record": seconds_per_record}
    rows: list[dict[Any, Any]] = alarms.to_dict("records")
    counts = []
    for row in rows:
        case = [Case(row["client"], row["theft"], row["binding"], row["custody"])]
        alone = int(over_time(predictor, case, Countermeasures(), **how)["exposed"].iloc[-1])
        exposed = alone
        if not pd.isna(row["seconds"]):
            acts = Countermeasures(
                revoke_at=row["seconds"] + reaction,
                told_after=told_after,
                rotate_at=row["seconds"] + reaction,
                rotate_found_at=row["seconds"] + reaction,
                evict_at=row["seconds"] + reaction,
            )
            exposed = int(over_time(predictor, case, acts, **how)["exposed"].iloc[-1])
        counts.append((alone, exposed, alone - exposed))
    added = pd.DataFrame(counts, columns=list(SAVED_DTYPES), index=alarms.index)
    return pd.concat([alarms, added.astype(SAVED_DTYPES)], axis=1)
