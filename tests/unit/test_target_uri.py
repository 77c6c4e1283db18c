"""Target URIs, compared as RFC 3986 sections 6.2.2 and 6.2.3 say and no further."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labsim.target_uri import comparable_target_uri

BASE = "https://server.example.com/a/b"

SAME = {
    "PC-02 query and fragment": "https://server.example.com/a/b?c=d/e?f#g",
    "PC-02b an empty query": "https://server.example.com/a/b?",
    "PC-03 scheme and host": "HTTPS://Server.EXAMPLE.com/a/b",
    "PC-04 the default port": "https://server.example.com:443/a/b",
    "PC-04b an empty port": "https://server.example.com:/a/b",
    "PC-05 an unreserved octet": "https://server.example.com/%61/%62",
    "PC-05b in the host": "https://s%65rver.example.com/a/b",
    "PC-06 dot segments": "https://server.example.com/./x/../a/y/./../b",
    "PC-06b more of them than segments": "https://server.example.com/../../a/b",
    "PC-06c encoded dots": "https://server.example.com/x/%2E%2e/a/b",
}
OTHER = {
    "DM-10 a trailing slash": "https://server.example.com/a/b/",
    "DM-10b a dot at the end": "https://server.example.com/a/b/.",
    "DM-11 the path's case": "https://server.example.com/A/b",
    "DM-16 an encoded slash": "https://server.example.com/a%2Fb",
    "DM-16b an encoded question mark": "https://server.example.com/a/b%3F",
    "another port": "https://server.example.com:8443/a/b",
    "http's port": "https://server.example.com:80/a/b",
    "another scheme": "http://server.example.com/a/b",
    "a double slash": "https://server.example.com//a/b",
    "a dot after the host": "https://server.example.com./a/b",
    "a parameter in the path": "https://server.example.com/a/b;c",
    "no path": "https://server.example.com",
}
NONE = {
    "DM-18 no URI": "not a URI",
    "DM-18b empty": "",
    "DM-18c relative": "/a/b",
    "DM-18d without a host": "https:///a/b",
    "DM-18e another scheme": "ftp://server.example.com/a/b",
    "DM-18f no slashes": "https:server.example.com/a/b",
    "DM-18g user information": "https://me@server.example.com/a/b",
    "DM-18h a broken escape": "https://server.example.com/%6/b",
    "DM-18i a broken escape at the end": "https://server.example.com/a/b%",
    "DM-18j a port in words": "https://server.example.com:https/a/b",
    "DM-19 a space before": " https://server.example.com/a/b",
    "DM-19b a line break after": "https://server.example.com/a/b\n",
    "DM-19c backslashes": "https:\\\\server.example.com\\a\\b",
    "DM-19d a tab inside": "https://server.\texample.com/a/b",
    "DM-20 a long s for an s": "http\u017f://server.example.com/a/b",
    "DM-20b a Kelvin sign for a k": "https://\u212a.example.com/a/b",
    "DM-20c beyond ASCII": "https://server.example.com/\u00e9",
    "a bracket in the path": "https://server.example.com/[a]",
}


@pytest.mark.parametrize("uri", SAME.values(), ids=SAME)
def test_what_does_not_count_does_not_count(uri: str) -> None:
    assert comparable_target_uri(uri) == comparable_target_uri(BASE) == BASE


@pytest.mark.parametrize("uri", OTHER.values(), ids=OTHER)
def test_what_counts_makes_another_uri(uri: str) -> None:
    assert comparable_target_uri(uri) not in (BASE, None)


@pytest.mark.parametrize("uri", NONE.values(), ids=NONE)
def test_what_is_no_uri_is_not_repaired(uri: str) -> None:
    assert comparable_target_uri(uri) is None


@pytest.mark.parametrize(
    ("uri", "expected"),
    [
        ("https://a", "https://a/"),
        ("http://a:80/", "http://a/"),
        ("http://a:8080", "http://a:8080/"),
        ("https://[2001:DB8::1]:443/x", "https://[2001:db8::1]/x"),
        ("https://a/%c3%a9", "https://a/%C3%A9"),
        ("https://a/b/..", "https://a/"),
        ("https://a/b/.", "https://a/b/"),
        ("https://a/.b/..c", "https://a/.b/..c"),
        ("https://a//../b", "https://a/b"),
        ("https://a/b//", "https://a/b//"),
    ],
)
def test_the_normal_form(uri: str, expected: str) -> None:
    assert comparable_target_uri(uri) == expected


@given(st.text(max_size=40))
def test_any_text_has_a_normal_form_or_none(text: str) -> None:
    for uri in (text, f"https://{text}", f"https://a/{text}"):
        found = comparable_target_uri(uri)
        assert found is None or comparable_target_uri(found) == found
