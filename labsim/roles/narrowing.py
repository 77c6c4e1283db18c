"""One token for one resource, no more scope than asked for (RFC 8707, RFC 6749 section 3.3)."""

from __future__ import annotations

from collections.abc import Mapping

from labsim.credentials import scopes_in
from labsim.rejection import Reason, Rejected
from labsim.roles.form import Form


def chosen_audience(form: Form, allowed: frozenset[str], resources: Mapping[str, str]) -> str:
    """Return the one audience of the token, by `resource` or else by the scopes; raises Rejected.

    Without `resource` the scopes decide, if they all belong to one resource server: a token for
    many audiences is one that each of them can use at the others (RFC 8707 section 2.2).
    """
    if len(form.resources) > 1:
        raise Rejected(Reason.TARGET_INVALID, "one_resource_is_asked_for", "RFC 8707 section 2.2")
    if form.resources:
        audience = form.resources[0]
        if audience not in resources:
            raise Rejected(Reason.TARGET_INVALID, "resource_is_known", "RFC 8707 section 2")
        return audience
    wanted = _asked_scopes(form) or allowed
    names = {scope.partition(".")[0] for scope in wanted}
    fitting = [uri for uri, name in resources.items() if name in names]
    if len(fitting) != 1 or len(names) != 1:
        raise Rejected(Reason.TARGET_INVALID, "resource_is_named", "RFC 8707 section 2")
    return fitting[0]


def chosen_scopes(form: Form, allowed: frozenset[str], resource: str) -> frozenset[str]:
    """Return the token's scopes: those asked for, or all allowed at this resource; or Rejected."""
    here = frozenset(scope for scope in allowed if scope.partition(".")[0] == resource)
    if not here:
        raise Rejected(Reason.TARGET_INVALID, "client_may_use_the_resource", "RFC 8707 section 2")
    asked = _asked_scopes(form)
    if asked is None:
        return here
    if not asked or not asked <= here:
        raise Rejected(Reason.SCOPE_INVALID, "scopes_are_granted", "RFC 6749 section 3.3")
    return asked


def _asked_scopes(form: Form) -> frozenset[str] | None:
    scope = form.value("scope")
    return None if scope is None else scopes_in(scope)
