"""What each workload and agent does: get a token per resource server, fetch records, keep things.

A workload keeps what real ones keep: its client credential and a token cache in files, its log,
and its key in a file beside the token or only in memory (its custody). An agent does the same;
it is scripted, no model is needed.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from labsim.binding import Binding, Presentation
from labsim.certificates import as_der
from labsim.errors import LabError
from labsim.estate.client_credential import ClientCredential
from labsim.estate.clock import Clock
from labsim.estate.dialler import Dialler
from labsim.estate.names import (
    CA_FILE,
    CERTIFICATE_FILE,
    CLOCK_FILE,
    INTERCEPTOR,
    KEY_FILE,
    LOG_FILE,
)
from labsim.estate.private_file import read_json, write_private, write_private_json
from labsim.estate.process import Process
from labsim.estate.serving import BINDINGS, new_id
from labsim.http_message import Outcome, Request, Response
from labsim.keys import SigningKey
from labsim.loot import Theft
from labsim.roles.client import TokenRefused, TokenSet, obtain_token, present
from labsim.rooms import rooms

THEFTS: dict[str, Theft] = dict(rooms("labsim.thefts", "THEFT"))
TOKENS_FILE = "tokens.json"
REFRESH_FILE = "refresh_token.json"
_EARLY = 5.0
"""Lab seconds before its end at which a token is replaced."""


class Workload:
    """Be one workload: a client, and on its bad days a victim (see `loot.Victim`)."""

    def __init__(self, process: Process) -> None:
        config = process.config
        self._folder = process.folder
        self._clock = Clock(process.run_folder / CLOCK_FILE)
        self._issuer: str = config["issuer"]
        self._endpoints: tuple[str, str] = (config["token_endpoint"], config["mtls_token_endpoint"])
        self._resources: dict[str, dict[str, str]] = config["resources"]
        self._refreshes: bool = config["grant"] == "refresh_token"
        self._ca_file = str(process.run_folder / CA_FILE)
        self._interceptor_ca = str(process.run_folder / INTERCEPTOR / CA_FILE)
        self._direct = Dialler(self._ca_file)
        self._send = self._direct
        self._observers: list[Callable[[Request, Response], None]] = []
        self._proxy: str | None = None
        self._binding: Binding | None = None
        self._key: SigningKey | None = None
        self._tokens: dict[str, TokenSet] = {}
        self._credential = ClientCredential(self._folder, self._direct.identify)

    # What it is told to do.

    def bind(
        self, binding: str, custody: str, refresh_token: str | None = None
    ) -> dict[str, str] | None:
        """Start over with another binding: a fresh key, no tokens, and a grant if it needs one.

        Returns the public key where the binding asks for a certificate: see `certified`.
        """
        room = BINDINGS[binding]
        self._binding, self._key = room, SigningKey.generate() if room.confirmation else None
        self._tokens = {}
        self._credential.start_over()
        write_private_json(self._folder / TOKENS_FILE, {})
        for name in (KEY_FILE, CERTIFICATE_FILE):
            (self._folder / name).unlink(missing_ok=True)
        if self._key and custody == "file":
            write_private_json(self._folder / KEY_FILE, self._key.private_jwk)
        if refresh_token is not None:
            write_private_json(self._folder / REFRESH_FILE, refresh_token)
        return self._key.public_jwk if self._key and room.asks_client_certificate else None

    def certified(self, pem: str) -> None:
        """Take the certificate that was issued for the key; it is no secret and lies in a file."""
        if self._key is None:
            raise LabError("This workload has no key to certify.", todo="Bind it first.")
        self._key = self._key.certified(as_der(pem.encode()))
        write_private(self._folder / CERTIFICATE_FILE, pem.encode())
        self._credential.follow(pem)

    def call_at(self, urls: dict[str, str]) -> None:
        """Reach resource servers at other origins, as their operator has announced them."""
        for name, url in urls.items():
            if name in self._resources:
                self._resources[name]["url"] = url

    def work(self, resources: list[str] | None = None) -> list[dict[str, Any]]:
        """Fetch the records of each resource server it calls; return how each request ended.

        Rows have resource, outcome, status, records (ids), request_id, why, sent and answer.
        """
        return [self._fetch(name) for name in resources or self._resources]

    def leak(self, theft: str, proxy: str | None = None) -> None:
        """Begin to leak in the way of a theft; `proxy` is the interceptor's address, if it runs."""
        self.mend()
        self._proxy = proxy
        THEFTS[theft].leak(self)

    def mend(self) -> None:
        """Stop leaking: no observer, no proxy."""
        self._observers = []
        if self._send is not self._direct:
            self._send.close()
            self._send = self._direct

    # What a theft's `leak` can make it do.

    def observe(self, callback: Callable[[Request, Response], None]) -> None:
        """Call back after each request to a resource server that was answered."""
        self._observers.append(callback)

    def write_log(self, line: str) -> None:
        """Append a line to the log in its own folder."""
        with (self._folder / LOG_FILE).open("a") as log:
            log.write(line + "\n")

    def trust_interceptor(self) -> None:
        """Go through the interceptor from now on, and trust its certificate authority."""
        if self._proxy is None:
            raise LabError("There is no interceptor to go through.", todo="Start it first.")
        self._send = Dialler(self._ca_file, proxy=self._proxy, proxy_ca_file=self._interceptor_ca)

    # How it works.

    def _fetch(self, name: str) -> dict[str, Any]:
        if self._binding is None:
            raise LabError("This workload has no binding yet.", todo="Bind it first.")
        resource = self._resources[name]
        try:
            token = self._token(name, self._binding)
        except TokenRefused as refused:
            return _row(name, refused.outcome, str(refused))
        presentation = Presentation(token.access_token, self._key, self._clock(), new_id)
        outcome = present(
            lambda: Request("GET", resource["url"], (("Accept", "application/json"),)),
            self._binding,
            presentation,
            self._identified(self._send),
        )
        if outcome.response is not None and outcome.response.status == 401:
            self._tokens.pop(name, None)  # it is good no more: the next call asks for a new one
        if outcome.request is not None and outcome.response is not None:
            for observer in self._observers:
                observer(outcome.request, outcome.response)
        return _row(name, outcome, outcome.detail)

    def _token(self, name: str, binding: Binding) -> TokenSet:
        """Return a token for a resource server, from the cache or a new one; TokenRefused."""
        cached = self._tokens.get(name)
        if cached is not None and self._clock() < cached.expires - _EARLY:
            return cached
        parameters = {"resource": self._resources[name]["audience"]}
        if self._refreshes:
            spent = read_json(self._folder / REFRESH_FILE)
            parameters |= {"grant_type": "refresh_token", "refresh_token": spent}
        else:
            parameters |= {"grant_type": "client_credentials"}
        # The token endpoint is asked directly: the interceptor sits before the resource servers.
        plain, asking = self._endpoints
        shows = self._credential.shows_certificate or binding.asks_client_certificate
        token = obtain_token(
            asking if shows else plain,
            parameters,
            self._credential.authentication(self._issuer, self._clock, self._key),
            binding,
            Presentation(None, self._key, self._clock(), new_id),
            self._identified(self._direct),
        )
        if token.refresh_token is not None:
            write_private_json(self._folder / REFRESH_FILE, token.refresh_token)
        self._tokens[name] = token
        cache = {
            n: {**asdict(t), "url": self._resources[n]["url"]} for n, t in self._tokens.items()
        }
        write_private_json(self._folder / TOKENS_FILE, cache)
        return token

    def _identified(self, dialler: Dialler) -> Dialler:
        """Give a dialler the certificate and its key, if there is one."""
        if self._key is not None and self._key.certificate is not None:
            dialler.identify(self._key.certificate, self._key.pem)
        return dialler


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
            "call_at": workload.call_at,
            "leak": workload.leak,
            "mend": workload.mend,
        }
    )
