"""The bad days of a workload: what a theft's `leak` can make it do, until it is mended."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from labsim.errors import LabError
from labsim.estate import run_folder
from labsim.estate.custody import AtSigner
from labsim.estate.dialler import Dialler
from labsim.estate.foothold import Foothold, Inhabited
from labsim.estate.held import PATIENCE_SECONDS
from labsim.estate.names import (
    CA_FILE,
    CERTIFICATE_FILE,
    COPIES,
    CREDENTIAL_FILE,
    FOOTHOLD_FILE,
    INTERCEPTOR,
    KEY_FILE,
    LOG_FILE,
    REFRESH_FILE,
    REPOSITORIES,
    STORE_FILE,
    STORES,
    TOKENS_FILE,
)
from labsim.estate.private_file import write_private, write_private_json
from labsim.estate.process import Process
from labsim.estate.repository import commit
from labsim.http_message import Outcome, Request, Response
from labsim.loot import Theft
from labsim.roles.client import TokenRefused
from labsim.rooms import rooms

_CREDENTIALS = (CREDENTIAL_FILE, TOKENS_FILE, REFRESH_FILE, KEY_FILE, CERTIFICATE_FILE)

THEFTS: dict[str, Theft] = dict(rooms("labsim.thefts", "THEFT"))


class Victim:
    """Leak in the way of one theft at a time (see `loot.Victim`); `tap` is where requests go then.

    A foothold stays when the leak is mended: it ends when the process starts over, or is evicted.
    """

    def __init__(self, process: Process, inhabited: Inhabited) -> None:
        self._folder, self._run_folder = process.folder, process.run_folder
        self._ca_file = str(process.run_folder / CA_FILE)
        self._interceptor_ca = str(process.run_folder / INTERCEPTOR / CA_FILE)
        self._inhabited = inhabited
        self._observers: list[Callable[[Request, Response], None]] = []
        self._at_the_end: list[Callable[[], None]] = []
        self._proxy: str | None = None
        self._grants: dict[str, str] = {}
        self._pasted: list[tuple[str, str]] = []
        self._foothold: Foothold | None = None
        self.tap: Dialler | None = None

    # What the lab tells it.

    def leak(
        self, theft: str, proxy: str | None = None, grants: dict[str, str] | None = None
    ) -> None:
        """Begin to leak in the way of a theft.

        `proxy` is the interceptor's address, if it runs; `grants` are the refresh tokens that
        tenants have granted, by tenant.
        """
        self.mend()
        self._proxy = proxy
        self._grants = grants or {}
        THEFTS[theft].leak(self)

    def mend(self) -> None:
        """Stop leaking: no observer, no proxy. A foothold stays."""
        self._observers, self._at_the_end = [], []
        if self.tap is not None:
            self.tap.close()
            self.tap = None

    def pasted(self) -> list[tuple[str, str]]:
        """Return title and text of all that was pasted since the last call."""
        pasted, self._pasted = self._pasted, []
        return pasted

    def evict(self) -> None:
        """End the foothold of a stranger's code, if there is one."""
        (self._folder / FOOTHOLD_FILE).unlink(missing_ok=True)
        if self._foothold is not None:
            self._foothold.close()
            self._foothold = None

    def saw(self, outcome: Outcome) -> None:
        """Hear of a request to a resource server, and tell the observers if it was answered."""
        if outcome.request is not None and outcome.response is not None:
            for observer in self._observers:
                observer(outcome.request, outcome.response)

    def has_worked(self) -> None:
        """Hear that the work is done, and tell those who wait for it."""
        for callback in self._at_the_end:
            callback()

    # What a theft's `leak` can make it do.

    def observe(self, callback: Callable[[Request, Response], None]) -> None:
        """Call back after each request to a resource server that was answered."""
        self._observers.append(callback)

    def write_log(self, line: str) -> None:
        """Append a line to the log in its own folder."""
        with (self._folder / LOG_FILE).open("a") as log:
            log.write(line + "\n")

    def paste(self, title: str, text: str) -> None:
        """Have a text put among the tickets and chats, once the work is done."""
        self._pasted.append((title, text))

    def trust_interceptor(self) -> None:
        """Go through the interceptor from now on, and trust its certificate authority."""
        if self._proxy is None:
            raise LabError("There is no interceptor to go through.", todo="Start it first.")
        self.tap = Dialler(
            self._ca_file, self._proxy, self._interceptor_ca, seconds=PATIENCE_SECONDS
        )

    def when_done(self, callback: Callable[[], None]) -> None:
        """Call back each time that the victim has done its work."""
        self._at_the_end.append(callback)

    def credentials(self) -> dict[str, bytes]:
        """Return name and content of each file in its folder that is a credential, or has one."""
        files = [self._folder / name for name in _CREDENTIALS]
        return {file.name: file.read_bytes() for file in files if file.is_file()}

    def commit(self, message: str, files: Mapping[str, bytes]) -> None:
        """Commit to its repository, so that these files and no others are there."""
        commit(self._outside(REPOSITORIES), message, files, self._inhabited.clock())

    def copy_home(self, files: Mapping[str, bytes]) -> None:
        """Copy files to where a former employee keeps them; older copies are thrown away."""
        home = self._outside(COPIES)
        run_folder.make_inner(home)
        for old in home.iterdir():
            old.unlink()
        for name, content in files.items():
            write_private(home / name, content)

    def tenants(self) -> list[dict[str, str]]:
        """Return tokens of each tenant, newly refreshed; LabError if one was refused."""
        found = []
        for tenant, grant in self._grants.items():
            try:
                url, tokens = self._inhabited.refreshed(grant)
            except TokenRefused as refused:
                raise LabError(f"The grant of {tenant} yields no token: {refused}.") from refused
            self._grants[tenant] = tokens.refresh_token or grant
            found.append(
                {
                    "tenant": tenant,
                    "url": url,
                    "resource": tokens.resource,
                    "access_token": tokens.access_token,
                    "refresh_token": self._grants[tenant],
                }
            )
        return found

    def write_store(self, document: Mapping[str, Any]) -> None:
        """Write the vendor's store anew."""
        store = self._outside(STORES)
        run_folder.make_inner(store)
        write_private_json(store / STORE_FILE, document)

    def readable_tokens(self) -> list[dict[str, str]]:
        """Return url, resource and token of each call; empty where a signer keeps them from it."""
        if isinstance(self._inhabited.key, AtSigner):
            return []
        found = []
        for url, resource in self._inhabited.calls:
            try:
                tokens = self._inhabited.token_for(url)
            except TokenRefused:
                continue  # what it does not get, it cannot send
            if tokens is not None:
                found.append({"url": url, "resource": resource, "token": tokens.access_token})
        return found

    def deputise(self) -> dict[str, Any]:
        """Send a stranger's requests from now on, until it is evicted."""
        self.evict()
        self._foothold = Foothold(self._inhabited, ("send",))
        calls = [{"url": url, "resource": resource} for url, resource in self._inhabited.calls]
        binding = self._inhabited.binding.name
        return {"deputy": self._foothold.address, "binding": binding, "calls": calls}

    def post(self, address: str, document: Mapping[str, Any]) -> None:
        """Send a JSON document; whether it arrives is the other side's business."""
        fields = (("Content-Type", "application/json"),)
        self._inhabited.send(Request("POST", address, fields, json.dumps(document).encode()))

    def _outside(self, place: str) -> Path:
        """Return where what is the victim's lies in a place that is not its own folder."""
        run_folder.make_inner(self._run_folder / place)
        return self._run_folder / place / self._folder.name

    def let_in(self) -> None:
        """Let a stranger's code run in this process from now on."""
        self.evict()
        self._foothold = Foothold(self._inhabited)
        write_private_json(self._folder / FOOTHOLD_FILE, self._foothold.address)
