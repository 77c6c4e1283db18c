"""The URL behind a proxy: what its Forwarded line says, and what is no such line."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labsim.http_message import Request
from labsim.rejection import Reason, Rejected
from labsim.roles.forwarded_address import at_the_clients_url, element

INSIDE = "https://127.0.0.1:9/a/b?c=d%20e"


def behind(*lines: str, url: str = INSIDE) -> Request:
    return Request("GET", url, tuple(("Forwarded", line) for line in lines))


@pytest.mark.parametrize(
    ("line", "origin"),
    [
        ('host="proxy.test:8";proto=https', "https://proxy.test:8"),
        ("host=proxy.test;proto=https", "https://proxy.test"),
        ("proto=http;host=proxy.test", "http://proxy.test"),
        ('for="[::1]:1";Host="[::1]:8";PROTO=HTTPS;by=_a', "https://[::1]:8"),
        ("host=a.test;proto=http, host=proxy.test;proto=https", "https://proxy.test"),
        ('for="a, b", for=c ,\thost=proxy.test;proto=https ', "https://proxy.test"),
    ],
)
def test_the_last_element_says_where_the_client_asked(line: str, origin: str) -> None:
    """RFC 7239 section 4: names without regard to case, in any order, quoted or not."""
    assert at_the_clients_url(behind(line)).url == f"{origin}/a/b?c=d%20e"
    forged = "host=a.test;proto=https"
    assert at_the_clients_url(behind(forged, line)).url == f"{origin}/a/b?c=d%20e"
    assert at_the_clients_url(behind('host="', line)).url == f"{origin}/a/b?c=d%20e"


def test_without_the_line_the_url_is_the_servers_own() -> None:
    assert at_the_clients_url(behind()) == behind()


@pytest.mark.parametrize("url", ["https://p.test:8/a?b=c", "https://p.test/", "https://[::1]:1//a"])
def test_what_a_proxy_writes_is_read(url: str) -> None:
    line = element(Request("GET", url))
    path = url.partition("://")[2].partition("/")[2]
    assert at_the_clients_url(behind(line, url=f"https://127.0.0.1:9/{path}")).url == url


@pytest.mark.parametrize(
    "line",
    [
        *(
            "",
            " ",
            ",",
            "host",
            "host=",
            "=a",
            "host=a.test",
            "proto=https",
            "a=b",
            "nonsense here",
        ),
        *("host=a.test;proto=ftp", 'host="a.test', "host=a.test; proto=https", "host=a.test,"),
        *("host=a.test;host=b.test;proto=https", "host=a.test;proto=https;Proto=https"),
        *('host="a.test/b";proto=https', 'host="u@a.test";proto=https', 'host="";proto=https'),
        *('host="a\\.test";proto=https', "host=a.test;proto=https, for=b", "host=a:1;proto=https"),
    ],
)
def test_any_other_line_is_refused(line: str) -> None:
    good = "host=a.test;proto=https"
    assert at_the_clients_url(behind(line, good)).url.startswith("https://a.test/")
    with pytest.raises(Rejected) as refused:
        at_the_clients_url(behind(good, line))
    assert refused.value.reason is Reason.REQUEST_MALFORMED
    assert refused.value.check == "forwarded_says_host_and_proto"


@given(st.text(max_size=60))
def test_no_text_makes_it_fall_over(line: str) -> None:
    with contextlib.suppress(Rejected):
        at_the_clients_url(behind(line))
