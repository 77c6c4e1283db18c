"""Section 11 of the catalogue: who asks for a token, by its secret (RFC 6749 section 2.3.1)."""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Callable
from typing import Any
from urllib.parse import unquote_plus, urlencode

from labsim.catalogue.good_request import CannotBeMade, GoodRequest
from labsim.catalogue.presenting import refused
from labsim.catalogue.token_request_changes import (
    BINDINGS,
    TWO_READERS,
    Edit,
    Rows,
    accepted,
    adding,
    form_error,
)
from labsim.catalogue.vector import Actor, Elsewhere, Force, Make, Section
from labsim.http_message import Request
from labsim.rejection import Reason
from labsim.roles.client_authentication import basic

ANYBODY = "whoever likes gets the client's tokens, bound to a key of its own"


def named(good: GoodRequest) -> tuple[str, str]:
    """Return id and secret of the client that asks; CannotBeMade if it shows no secret."""
    scheme, _, encoded = str(good.plain.value("Authorization") or "").partition(" ")
    if scheme != "Basic":
        raise CannotBeMade("the client does not authenticate by a secret")
    client_id, _, secret = b64decode(encoded).decode().partition(":")
    return unquote_plus(client_id), unquote_plus(secret)


def showing(change: Callable[[str, str], Edit]) -> Make:
    """Take the client's authentication away, and let it show something else."""

    def make(good: GoodRequest) -> Request:
        edit = change(*named(good))
        asked = edit(good.plain.without("Authorization"))
        return good.binding.attach(asked, good.presentation)

    return make


def field(value: str) -> Edit:
    """Send this as Authorization."""
    return lambda request: request.adding("Authorization", value)


def basic_of(text: str) -> str:
    """Write a text as Basic credentials."""
    return f"Basic {b64encode(text.encode()).decode()}"


def in_the_form(**parameters: str) -> Edit:
    """Add these parameters to the form."""
    return adding(f"&{urlencode(parameters)}")


def twice(id: str, secret: str) -> Edit:
    """Send the same good credentials in two fields."""
    return lambda request: basic(id, secret)(basic(id, secret)(request))


def both_ways(id: str, secret: str) -> Edit:
    """Send the secret in the field and in the form."""
    return lambda request: basic(id, secret)(in_the_form(client_secret=secret)(request))


def of_another(id: str, secret: str) -> Edit:
    """Show one client's secret, and name another."""
    return lambda request: basic(id, secret)(in_the_form(client_id="orders")(request))


def other_scheme(id: str, secret: str) -> Edit:
    """Show the good credentials under another scheme."""
    return field(basic_of(f"{id}:{secret}").replace("Basic", "Bearer"))


def impostor(
    id: str,
    what: str,
    source: str,
    change: Callable[[str, str], Edit],
    check: str,
    reason: Reason = Reason.CLIENT_CREDENTIAL_INVALID,
    force: Force = Force.MUST,
) -> Rows:
    """Make a row about a client that is not who it says it is."""
    how: dict[str, Any] = {"status": 401, "error": "invalid_client", "gain": ANYBODY}
    how |= {"actor": Actor.AS, "check": check, "reason": reason, "force": force}
    return tuple(refused(id, what, source, showing(change), binding=b, **how) for b in BINDINGS)


def ambiguous(id: str, what: str, change: Callable[[str, str], Edit]) -> Rows:
    """Make a row about two ways to authenticate at once."""
    refusal = form_error("client_authenticates_one_way")
    how: dict[str, Any] = dict(zip(("reason", "error", "check"), refusal, strict=True))
    how |= {"status": 400, "actor": Actor.AS, "gain": TWO_READERS}
    return tuple(refused(id, what, "6749 2.3", showing(change), binding=b, **how) for b in BINDINGS)


NOBODY = Reason.CLIENT_UNKNOWN
FORMED = "basic_credentials_are_well_formed"
CLIENTS = (
    impostor("CA-01", "nothing", "6749 3.2.1", lambda _id, _secret: lambda request: request, "client_authenticates"),
    impostor("CA-02", "a wrong secret", "6749 2.3.1", lambda id, _: basic(id, "wrong"), "secret_is_the_clients"),
    impostor("CA-02b", "an empty secret", "6749 2.3.1", lambda id, _: basic(id, ""), "secret_is_the_clients"),
    impostor("CA-02c", "the secret's beginning", "6749 2.3.1", lambda id, secret: basic(id, secret[:-1]), "secret_is_the_clients"),
    impostor("CA-03", "an unknown client", "6749 5.2", lambda _, secret: basic("nobody", secret), "client_is_registered", NOBODY),
    impostor("CA-03b", "the client in capitals", "6749 2.2", lambda id, secret: basic(id.upper(), secret), "client_is_registered", NOBODY),
    impostor("CA-03c", "no client", "6749 2.3.1", lambda _, secret: basic("", secret), "client_is_registered", NOBODY),
    impostor("CA-04", "the client_id of another", "6749 2.3", of_another, "client_is_registered", NOBODY),
    impostor("CA-06", "no colon", "7617 2", lambda id, _: field(basic_of(id)), FORMED),
    impostor("CA-06b", "no base64", "7617 2", lambda _id, _secret: field("Basic ???"), FORMED),
    impostor("CA-06c", "no UTF-8", "6749 B", lambda id, _: field(basic_of(f"{id}:%ff")), FORMED),
    impostor("CA-06d", "another scheme", "7617 2", other_scheme, FORMED),
    impostor("CA-06e", "a scheme alone", "7617 2", lambda _id, _secret: field("Basic"), FORMED),
    impostor("CA-07", "the secret in the form", "6749 2.3.1", lambda id, secret: in_the_form(client_id=id, client_secret=secret), "client_authenticates", force=Force.POLICY),
    ambiguous("CA-08", "two fields", twice),
    ambiguous("CA-08b", "the secret in both places", both_ways),
)  # fmt: skip


def spelled(scheme: str) -> Make:
    """Spell the scheme of Basic in another way."""

    def make(good: GoodRequest) -> Request:
        value = str(good.plain.value("Authorization") or "").partition(" ")[2]
        named(good)
        asked = good.plain.without("Authorization").adding("Authorization", f"{scheme}{value}")
        return good.binding.attach(asked, good.presentation)

    return make


SERVED = (
    accepted("CA-10", "Basic in capitals, and two spaces", "9110 11.1", spelled("BASIC  ")),
    accepted("CA-11", "the client's own client_id as well", "6749 2.3", showing(lambda id, secret: lambda request: basic(id, secret)(in_the_form(client_id=id)(request)))),
)  # fmt: skip

SECTION = Section(
    name="client_authentication",
    number=11,
    title="The client that asks",
    vectors=tuple(vector for rows in (*CLIENTS, *SERVED) for vector in rows),
    elsewhere=(
        Elsewhere(
            id="CJ-13 to CJ-15",
            what="how long an assertion stays spent, by whom, and what does not spend it",
            source="RFC 7523 section 3",
            why="it takes a clock that is moved, or a second client",
            proven="tests/vectors/test_11_client_authentication.py",
        ),
    ),
)
