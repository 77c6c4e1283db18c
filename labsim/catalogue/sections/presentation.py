"""Section 6 of the catalogue: how a token comes with a request, the same under every binding."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from labsim.catalogue.good_request import GoodRequest
from labsim.catalogue.presenting import refused
from labsim.catalogue.vector import Make, Section, Vector
from labsim.http_message import Request
from labsim.rejection import Reason
from labsim.rooms import names

BINDINGS = names("labsim.bindings")
ALL = ("DPoP", "Bearer", "HTTPSig")
TWO_READERS = "what one reader checks is not what the next one uses"
LEAKED = "a token that stands in a log, a history or a Referer field works"
OPEN = "no token is needed at all"


def presented(*values: str) -> Make:
    """Replace the Authorization field by these: `{}` is the good token, `S` the good scheme."""

    def make(good: GoodRequest) -> Request:
        request = good.request.without("Authorization")
        for value in values:
            text = value.replace("S", good.binding.scheme, 1).replace("{}", good.token)
            request = request.adding("Authorization", text)
        return request

    return make


def token_in_the_query(good: GoodRequest) -> Request:
    """Put the token into the URL."""
    request = good.request.without("Authorization")
    return request.at(f"{request.url}?access_token={good.token}")


def token_in_both(good: GoodRequest) -> Request:
    """Put the token into the URL as well."""
    return good.request.at(f"{good.request.url}?access_token={good.token}")


def token_in_the_form(good: GoodRequest) -> Request:
    """Put the token into the body."""
    kind = "application/x-www-form-urlencoded; charset=utf-8"
    form = good.request.without("Authorization").adding("Content-Type", kind)
    return replace(form, body=f"a=1&access%5Ftoken={good.token}".encode())


def token_in_the_second_of_two_types(good: GoodRequest) -> Request:
    """Say first that the body is something else: who reads the last type finds a token in it."""
    form = token_in_the_form(good)
    (kind,) = form.values("Content-Type")
    form = form.without("Content-Type").adding("Content-Type", "application/json")
    return form.adding("Content-Type", kind)


BAD: dict[str, Any] = {"status": 400, "error": "invalid_request", "on": ALL}
BAD |= {"reason": Reason.CREDENTIALS_MALFORMED}
TOKEN: dict[str, Any] = {**BAD, "check": "credentials_are_a_token", "gain": TWO_READERS}
ONE_WAY: dict[str, Any] = {**BAD, "check": "token_comes_one_way", "gain": LEAKED}
NOTHING: dict[str, Any] = {"reason": Reason.NO_CREDENTIALS, "error": "", "on": ALL, "gain": OPEN}
ROWS: tuple[tuple[str, str, str, Make, dict[str, Any]], ...] = (
    ("DB-17b", "one field twice", "9110 5.3", presented("S {}", "S {}"), ONE_WAY),
    ("DB-18", "no token", "9449 7.2", presented(), {**NOTHING, "check": "credentials_are_there"}),
    ("DB-19", "token in the query", "9700 4.3.2", token_in_the_query, ONE_WAY),
    ("DB-19b", "token in the query as well", "6750 2", token_in_both, ONE_WAY),
    ("DB-20", "token in the form", "9449 7.1", token_in_the_form, ONE_WAY),
    ("DB-20b", "token in one of two types", "9110 8.3", token_in_the_second_of_two_types, ONE_WAY),
    ("DB-21", "junk after the token", "9449 7.1", presented("S {} junk"), TOKEN),
    ("DB-21b", "a character of no token68", "9449 7.1", presented('S "{}"'), TOKEN),
    ("DB-21d", "a scheme alone", "9110 11.4", presented("S"), TOKEN),
    ("DB-21e", "a tab for the space", "9110 11.4", presented("S\t{}"), TOKEN),
    ("DB-21g", "no space", "9110 11.4", presented("S{}"), TOKEN),
    ("DB-21h", "the token alone", "9110 11.4", presented("{}"), TOKEN),
    ("DB-21i", "a comma behind the token", "9110 11.4", presented("S {},"), TOKEN),
    ("DB-21f", "another scheme", "9110 11.6.1", presented("Basic {}"), {**NOTHING, "check": "scheme_is_accepted"}),
)  # fmt: skip


def _vectors() -> tuple[Vector, ...]:
    return tuple(
        refused(id, what, source, make, binding=binding, **how)
        for binding in BINDINGS
        for id, what, source, make, how in ROWS
    )


SECTION = Section(
    name="presentation",
    number=6,
    title="How a token comes with a request",
    vectors=_vectors(),
)
