"""What each workload and agent does: get a token per resource server, fetch records, keep things.

A workload keeps what real ones keep: its client credential and a token cache in files, its log,
and its key in a file beside the token or only in memory (its custody). An agent does the same;
it is scripted, no model is needed.
"""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import asdict
from typing import Any

from labsim.binding import Binding, Presentation
from labsim.errors import LabError
from labsim.estate.calls import CALLS
from labsim.estate.client_credential import ClientCredential
from labsim.estate.clock import Clock
from labsim.estate.custody import AtSigner, Custody, OwnKey
from labsim.estate.dialler import Dialler
from labsim.estate.names import (
    CA_FILE,
    CERTIFICATE_FILE,
    CLOCK_FILE,
    KEY_FILE,
    REFRESH_FILE,
    TOKENS_FILE,
)
from labsim.estate.private_file import read_json, write_private, write_private_json
from labsim.estate.process import Process
from labsim.estate.serving import BINDINGS, new_id
from labsim.estate.victim import Victim
from labsim.estate.weakening import PRESETS
from labsim.http_message import Outcome, Request, Response
from labsim.keys import SigningKey
from labsim.roles.client import Send, TokenRefused, TokenSet, obtain_token, present

_EARLY = 5.0
"""Lab seconds before its end at which a token is replaced."""


class Workload:
    """Be one workload: a client. On its bad days it is a victim too (see `estate.victim`)."""

    def __init__(self, process: Process) -> None:
        config = process.config
        self._folder = process.folder
        self.clock = Clock(process.run_folder / CLOCK_FILE)
        self._issuer: str = config["issuer"]
        self._endpoints: tuple[str, str] = (config["token_endpoint"], config["mtls_token_endpoint"])
        self._resources: dict[str, dict[str, str]] = config["resources"]
        self._refreshes: bool = config["grant"] == "refresh_token"
        self.direct = Dialler(str(process.run_folder / CA_FILE))
        self.victim = Victim(process, self)
        self._binding: Binding | None = None
        self._key: Custody | None = None
        self._tokens: dict[str, TokenSet] = {}
        self._aside = ThreadPoolExecutor(1, "aside")  # so that one begun request waits for another
        self._begun: Future[dict[str, Any]] | None = None
        self.credential = ClientCredential(self._folder, self.direct.identify)
        self._left_out: tuple[str, ...] = ()

    # What it is told to do.

    def bind(
        self,
        binding: str,
        custody: str,
        refresh_token: str | None = None,
        signer: str | None = None,
    ) -> dict[str, str] | None:
        """Start over with another binding: a fresh key, no tokens, and a grant if it needs one.

        `signer` names the process that has the key, if that is its custody. Returns the public key
        where the binding asks for a certificate: see `certified`.
        """
        room = BINDINGS[binding]
        self.victim.evict()
        if isinstance(self._key, AtSigner):
            self._key.close()
        self._tokens = {}
        self.credential.start_over()
        write_private_json(self._folder / TOKENS_FILE, {})
        for name in (KEY_FILE, CERTIFICATE_FILE):
            (self._folder / name).unlink(missing_ok=True)
        if room.confirmation is None:
            self._key = None
        elif signer is not None:
            self._key = AtSigner(signer)
        else:
            self._key = OwnKey(SigningKey.generate(), self._folder, custody == "file")
        self._binding = self._key.client_side(room) if self._key else room
        if refresh_token is not None:
            write_private_json(self._folder / REFRESH_FILE, refresh_token)
        asks = room.asks_client_certificate
        return self._key.holder.public_jwk if self._key and asks else None

    def certified(self, pem: str) -> None:
        """Take the certificate that was issued for the key; it is no secret and lies in a file."""
        if self._key is None:
            raise LabError("This workload has no key to certify.", todo="Bind it first.")
        self._key.certified(pem)
        write_private(self._folder / CERTIFICATE_FILE, pem.encode())
        self.credential.follow(pem)

    def weaken(self, preset: str, called: str) -> None:
        """Make a preset's mistake from now on, by whatever name; empty: none."""
        self._left_out = PRESETS[preset].without if preset else ()

    def call_at(self, urls: dict[str, str]) -> None:
        """Reach resource servers at other origins, as their operator has announced them."""
        for name, url in urls.items():
            if name in self._resources:
                self._resources[name]["url"] = url

    def work(self, resources: list[str] | None = None, doing: str = "read") -> list[dict[str, Any]]:
        """Do one thing (see `calls.CALLS`) at each resource server; return how each request ended.

        Rows have resource, outcome, status, records (ids), request_id, why, sent and answer.
        """
        rows = [self._ask(name, doing) for name in resources or self._resources]
        self.victim.has_worked()
        return rows

    def begin(self, resource: str, doing: str) -> dict[str, Any] | None:
        """Begin one request and do not wait for its end: see `finish`.

        Returns the row of a request that cannot be sent, as there is no token for it.
        """
        try:
            self._token(resource)
        except TokenRefused as refused:
            return _row(resource, refused.outcome, str(refused))
        self._begun = self._aside.submit(self._ask, resource, doing)
        return None

    def finish(self) -> dict[str, Any]:
        """Wait for the end of the request that was begun last, and return its row.

        Asked again, it says the same: an answer may have been lost on its way.
        """
        if self._begun is None:
            raise LabError("This workload has begun nothing.", todo="Begin it first.")
        return self._begun.result()

    # What code that runs in this process can use (see `foothold.Inhabited`).

    @property
    def binding(self) -> Binding:
        """Return the binding of its tokens; LabError if it has none yet."""
        if self._binding is None:
            raise LabError("This workload has no binding yet.", todo="Bind it first.")
        return self._binding

    @property
    def key(self) -> Custody | None:
        """Return what it can do with its key."""
        return self._key

    @property
    def send(self) -> Send:
        """Return what it sends with, past any interceptor."""
        return self._through(self.direct)

    def token_for(self, url: str) -> TokenSet | None:
        """Return a token for this address, None if it never calls there; raises TokenRefused."""
        wanted = Request("GET", url).authority
        for name, resource in self._resources.items():
            if wanted == Request("GET", resource["url"]).authority:
                return self._token(name)
        return None

    @property
    def calls(self) -> list[tuple[str, str]]:
        """Return address and audience of each resource server that it calls."""
        return [(each["url"], each["audience"]) for each in self._resources.values()]

    def refreshed(self, refresh_token: str) -> tuple[str, TokenSet]:
        """Return the first address it calls, and tokens for it from a grant; TokenRefused."""
        name = next(iter(self._resources))
        return self._resources[name]["url"], self._new_token(name, refresh_token)

    # How it works.

    def _ask(self, name: str, doing: str) -> dict[str, Any]:
        resource = self._resources[name]
        try:
            token = self._token(name)
        except TokenRefused as refused:
            return _row(name, refused.outcome, str(refused))
        holder = self._key.holder if self._key else None
        outcome = present(
            lambda: CALLS[doing](resource["url"]),
            self.binding,
            Presentation(token.access_token, holder, self.clock(), new_id),
            self._through(self.victim.tap or self.direct),
        )
        is_refused = outcome.response is not None and outcome.response.status == 401
        if is_refused and "refused_token_is_dropped" not in self._left_out:
            self._tokens.pop(name, None)  # it is good no more: the next call asks for a new one
        self.victim.saw(outcome)
        return _row(name, outcome, outcome.detail)

    def _token(self, name: str) -> TokenSet:
        """Return a token for a resource server, from the cache or a new one; TokenRefused."""
        cached = self._tokens.get(name)
        if cached is not None and self.clock() < cached.expires - _EARLY:
            return cached
        spent = read_json(self._folder / REFRESH_FILE) if self._refreshes else None
        token = self._new_token(name, spent)
        if token.refresh_token is not None:
            write_private_json(self._folder / REFRESH_FILE, token.refresh_token)
        self._tokens[name] = token
        cache = {
            n: {**asdict(t), "url": self._resources[n]["url"]} for n, t in self._tokens.items()
        }
        write_private_json(self._folder / TOKENS_FILE, cache)
        return token

    def _new_token(self, name: str, spent: str | None) -> TokenSet:
        """Get a token for a resource server, for a refresh token if there is one; TokenRefused."""
        parameters = {"resource": self._resources[name]["audience"]}
        if spent is not None:
            parameters |= {"grant_type": "refresh_token", "refresh_token": spent}
        else:
            parameters |= {"grant_type": "client_credentials"}
        # The token endpoint is asked directly: the interceptor sits before the resource servers.
        plain, asking = self._endpoints
        holder = self._key.holder if self._key else None
        shows = self.credential.shows_certificate or self.binding.asks_client_certificate
        return obtain_token(
            asking if shows else plain,
            parameters,
            self.credential.authentication(self._issuer, self.clock, holder),
            self.binding,
            Presentation(None, holder, self.clock(), new_id),
            self.send,
        )

    def _through(self, dialler: Dialler) -> Send:
        return self._key.through(dialler) if self._key else dialler


def _row(resource: str, outcome: Outcome, why: str) -> dict[str, Any]:
    answer = outcome.response
    return {
        "resource": resource,
        "outcome": outcome.ending,
        "status": answer.status if answer else None,
        "records": _ids(answer),
        "request_id": (answer.value("Request-Id") or "") if answer else "",
        "why": why,
        "sent": outcome.request.wire().decode("latin-1") if outcome.request else "",
        "answer": answer.wire().decode("latin-1") if answer else "",
    }


def _ids(answer: Response | None) -> list[str]:
    if answer is None or answer.status != 200:
        return []
    body = answer.json()
    return [record["id"] for record in body.get("records", [])]


def run(process: Process) -> None:
    """Run one workload; config: issuer, token_endpoint, resources, grant. It is bound later."""
    workload = Workload(process)
    process.serve(
        {
            "bind": workload.bind,
            "certified": workload.certified,
            "work": workload.work,
            "begin": workload.begin,
            "finish": workload.finish,
            "weaken": workload.weaken,
            "call_at": workload.call_at,
            "send_from": workload.direct.send_from,
            "leak": workload.victim.leak,
            "mend": workload.victim.mend,
            "pasted": workload.victim.pasted,
            "evict": workload.victim.evict,
            "rotated": workload.credential.rotated,
        }
    )
