"""What a signature is made of, component by component."""

from __future__ import annotations

import pytest

from labsim.http_message import Request
from labsim.jose import Malformed
from labsim.signature_base import signature_base


def value_of(name: str, request: Request) -> str:
    base = signature_base(request, [name], "()").decode()
    line, last = base.split("\n")
    assert last == '"@signature-params": ()'
    assert line.startswith(f'"{name}": ')
    return line.removeprefix(f'"{name}": ')


def test_the_base_is_one_line_for_each_component_in_order() -> None:
    """RFC 9421 section 2.5; no line break at its end."""
    request = Request("GET", "https://a.test/b?c=d", (("X-A", "1"), ("x-b", "2")))
    base = signature_base(request, ["x-b", "@method", "x-a"], '("x-b" "@method" "x-a");created=1')
    assert base == (
        b'"x-b": 2\n"@method": GET\n"x-a": 1\n'
        b'"@signature-params": ("x-b" "@method" "x-a");created=1'
    )
    assert signature_base(request, [], "()") == b'"@signature-params": ()'


@pytest.mark.parametrize(
    ("url", "name", "value"),
    [
        ("https://a.test/b?c=d#e", "@target-uri", "https://a.test/b?c=d"),
        ("https://a.test/b#e?f", "@target-uri", "https://a.test/b"),
        ("https://a.test/b?", "@target-uri", "https://a.test/b?"),
        ("https://a.test", "@target-uri", "https://a.test/"),
        ("https://s?s#s", "@target-uri", "https://s/?s"),
        ("https://a.test/%7E/../%2f", "@target-uri", "https://a.test/%7E/../%2f"),
        ("https://a.test/b", "@authority", "a.test"),
        ("https://A.Test/b", "@authority", "a.test"),
        ("https://a.test:443/b", "@authority", "a.test"),
        ("https://a.test:8443/b", "@authority", "a.test:8443"),
        ("http://a.test:80/b", "@authority", "a.test"),
        ("http://a.test:443/b", "@authority", "a.test:443"),
        ("https://[::1]:443/b", "@authority", "[::1]"),
        ("https://127.0.0.1:44300/b", "@authority", "127.0.0.1:44300"),
        ("HTTPS://a.test/b", "@scheme", "https"),
        ("https://a.test/b?c", "@request-target", "/b?c"),
        ("https://a.test/b?", "@request-target", "/b?"),
        ("https://a.test", "@request-target", "/"),
        ("https://a.test/b/?c#d", "@path", "/b/"),
        ("https://a.test?c", "@path", "/"),
        ("https://a.test/b?c=d&c=e", "@query", "?c=d&c=e"),
        ("https://a.test/b?", "@query", "?"),
        ("https://a.test/b", "@query", "?"),
    ],
)
def test_derived_components(url: str, name: str, value: str) -> None:
    """RFC 9421 sections 2.2.1 to 2.2.7."""
    assert value_of(name, Request("GET", url)) == value


@pytest.mark.parametrize("method", ["GET", "get", "M-SEARCH"])
def test_the_method_stands_as_it_was_sent(method: str) -> None:
    assert value_of("@method", Request(method, "https://a.test/")) == method


@pytest.mark.parametrize(
    ("lines", "value"),
    [
        (["a"], "a"),
        (["  a b\t"], "a b"),
        ([""], ""),
        (["a", "b"], "a, b"),
        (["a, b", " c "], "a, b, c"),
        (["", "a", ""], ", a, "),
        (["a  b"], "a  b"),
        (['"a, b"'], '"a, b"'),
    ],
)
def test_a_fields_lines_are_joined(lines: list[str], value: str) -> None:
    """RFC 9421 section 2.1."""
    between = (("X-B", "other"),)
    fields = tuple(("X-a", line) for line in lines)
    assert value_of("x-a", Request("GET", "https://a.test/", between + fields + between)) == value


@pytest.mark.parametrize(
    "names",
    [
        *(["@status"], ["@unknown"], ["@METHOD"], ["@"], ["@query-param"], ["@signature-params"]),
        *(["X-A"], ["x-c"], [""], [" x-a"], ["x-a;sf"], ["@method;req"], ["x-a", "x-a"]),
        *(["@path", "x-a", "@path"], ["x-\xe9"]),
    ],
    ids=str,
)
def test_what_is_not_understood_is_malformed(names: list[str]) -> None:
    request = Request("GET", "https://a.test/", (("X-A", "1"),))
    with pytest.raises(Malformed):
        signature_base(request, names, "()")


@pytest.mark.parametrize("value", ["\xe9", "a\nb", '1\n"@method": GET', "\n", "\u20ac"])
def test_a_value_that_a_line_of_ascii_cannot_hold_is_malformed(value: str) -> None:
    """RFC 9421 section 2.1: such a field needs `bs`, which is not offered here."""
    request = Request("GET", "https://a.test/", (("x-a", value),))
    assert signature_base(request, ["@method"], "()")
    with pytest.raises(Malformed):
        signature_base(request, ["x-a"], "()")
    with pytest.raises(Malformed):
        signature_base(Request(f"GET{value}", "https://a.test/"), ["@method"], "()")
    with pytest.raises(Malformed):
        signature_base(Request("GET", f"https://a.test/{value}"), ["@target-uri"], "()")


@pytest.mark.parametrize("url", ["", "a", "https:", "https://", "https://[", "//a:b/", "\0"])
def test_no_url_at_all_is_no_reason_to_fall_over(url: str) -> None:
    names = ("@target-uri", "@authority", "@scheme", "@request-target", "@path", "@query")
    for name in names:
        try:
            signature_base(Request("GET", url), [name], "()")
        except Malformed:
            assert name == "@authority"


class Counted(str):
    """Count how often a name is compared, hashed or put into lower case."""

    steps = 0

    def __eq__(self, other: object) -> bool:
        Counted.steps += 1
        return str.__eq__(self, other)  # type: ignore[arg-type]

    def __hash__(self) -> int:
        Counted.steps += 1
        return str.__hash__(self)

    def lower(self) -> Counted:
        Counted.steps += 1
        return Counted(str.lower(self))


def test_n_components_of_n_fields_take_some_n_steps() -> None:
    steps = []
    for number in (1000, 2000, 4000):
        names = [Counted(f"x-{n}") for n in range(number)]
        request = Request("GET", "https://a.test/", tuple((Counted(name), "1") for name in names))
        Counted.steps = 0
        signature_base(request, names, "()")
        steps.append(Counted.steps)
        assert Counted.steps < 20 * number
    assert steps[2] < 2.2 * steps[1] < 5 * steps[0]
