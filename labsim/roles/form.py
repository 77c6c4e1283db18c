"""The token request's form (RFC 6749 sections 3.2 and 4, appendix B): strict where it counts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, urlencode

from labsim.http_message import Request
from labsim.rejection import Reason, Rejected

FORM = "application/x-www-form-urlencoded"


@dataclass(frozen=True, slots=True)
class Form:
    """Hold a form's parameters. Only `resource` may stand more than once (RFC 8707 section 2)."""

    single: Mapping[str, str]
    resources: tuple[str, ...] = field(default=())

    def value(self, name: str) -> str | None:
        """Return a parameter, or None; one without a value counts as left out (RFC 6749 3.2)."""
        return self.single.get(name) or None

    def required(self, name: str) -> str:
        """Return a parameter; raises Rejected if it is not there."""
        value = self.value(name)
        if value is None:
            raise _malformed("required_parameters_are_there", "RFC 6749 section 5.2", name)
        return value


def _malformed(check: str, source: str, detail: str = "") -> Rejected:
    return Rejected(Reason.REQUEST_MALFORMED, check, source, detail)


def read_form(request: Request) -> Form:
    """Parse a POSTed form; raises Rejected for anything else, or a parameter that stands twice."""
    if request.method != "POST":
        raise Rejected(Reason.METHOD_NOT_ALLOWED, "method_is_post", "RFC 6749 section 3.2")
    if request.media_types != [FORM]:
        raise _malformed("content_is_a_form", "RFC 6749 appendix B")
    if request.query:
        raise _malformed("parameters_are_in_the_body", "RFC 6749 section 2.3.1")
    try:
        pairs = parse_qsl(
            request.body.decode("ascii"),
            keep_blank_values=True,
            strict_parsing=bool(request.body),
            encoding="utf-8",
            errors="strict",
            max_num_fields=64,
        )
    except ValueError as error:
        raise _malformed("form_is_well_formed", "RFC 6749 appendix B", str(error)) from None
    singles = [name for name, _ in pairs if name != "resource"]
    if len(set(singles)) != len(singles):
        raise _malformed("parameters_stand_once", "RFC 6749 section 3.2")
    resources = tuple(value for name, value in pairs if name == "resource" and value)
    return Form({n: v for n, v in pairs if n != "resource"}, resources)


def form_request(url: str, parameters: Mapping[str, str]) -> Request:
    """Make the request that posts a form."""
    return Request("POST", url, (("Content-Type", FORM),), urlencode(parameters).encode())
