"""The signature is by the right key and over nothing at all: it goes with any request.

An honest client makes no such signature, so that here the thief makes it, with a stolen key.
"""

from __future__ import annotations

from labsim.attempt import Replay, Target, Thief
from labsim.binding import Binding
from labsim.http_message import Outcome, Request
from labsim.loot import Kind, Loot
from labsim.preset import Preset, Role, Scene
from labsim.signature_base import signature_base
from labsim.structured_fields import byte_sequence


def spend(loot: Loot, binding: Binding, target: Target, thief: Thief) -> Outcome:
    """Sign an empty list of components with the stolen key, and put that on a request."""
    request = Request("GET", target.url)
    request = request.adding("Authorization", f"{binding.scheme} {loot.token}")
    parameters = f'();created={int(thief.now)};nonce="{thief.now:.6f}";tag="httpsig-oauth"'
    signature = thief.holder_of(loot).sign(signature_base(request, (), parameters))
    request = request.adding("Signature-Input", f"sig={parameters}")
    return thief.send(request.adding("Signature", f"sig={byte_sequence(signature)}"))


PRESET = Preset(
    name="signature_covers_nothing",
    title="a signature is verified, whatever it covers",
    report="cloudflare/web-bot-auth pull request 114, GHSA-x9cc-346q-g27m",
    missed="tag, created, expires and key were checked, and never what the signature covers.",
    fix="List what must be covered (method, target, token, digest of a body) and refuse less.",
    row="HS-07",
    source="RFC 9421 section 7.2.1",
    role=Role.RESOURCE_SERVER,
    scene=Scene(binding="http_signature", theft="container_files", replay="signature_of_nothing"),
    stopped_by="method_is_covered",
    without=(
        "method_is_covered",
        "target_is_covered",
        "authorization_is_covered",
        "body_is_covered",
    ),
    own=Replay(
        name="signature_of_nothing",
        source="RFC 9421 section 7.2.1",
        title="sign nothing with the stolen key",
        needs=frozenset({Kind.TOKEN, Kind.KEY}),
        spend=spend,
    ),
)
