"""The interceptor: mitmproxy between a client that trusts its authority and a resource server.

It reads what passes, keeps it, and changes nothing; told to, it holds one request back. It is a
regular proxy (CONNECT), as reverse mode rewrites the URL, and every proof would fail for the wrong
reason.

A client's certificate cannot be forwarded. The client makes its TLS connection with the
interceptor, and the interceptor another one with the server; in each the owner of a certificate
signs that connection's own handshake (RFC 8446 section 4.4.3), and the key stays with the client.
So the server sees no certificate, while token and headers are read in clear.

mitmproxy is imported at the top, so that a preloaded parent spends that half second, and only once.
"""

from __future__ import annotations

import asyncio
import logging
import os
import sys
import threading
from concurrent.futures import Future
from pathlib import Path

from mitmproxy.addons.next_layer import NextLayer
from mitmproxy.addons.proxyserver import Proxyserver
from mitmproxy.addons.tlsconfig import TlsConfig
from mitmproxy.http import Headers, HTTPFlow, Message
from mitmproxy.http import Request as TappedRequest
from mitmproxy.http import Response as TappedResponse
from mitmproxy.master import Master
from mitmproxy.options import Options
from mitmproxy.proxy.server_hooks import ServerConnectionHookData

from labsim.checks import StorageUnavailable
from labsim.errors import LabError
from labsim.estate.captured import Captured
from labsim.estate.held import Hold
from labsim.estate.names import CAPTURED_FILE
from labsim.estate.process import Process
from labsim.estate.tls import client_context, server_context
from labsim.http_message import Fields, Request, Response

# mitmproxy looks for this name in its confdir, and makes a new authority where it is missing.
OWN_CA_FILE = "mitmproxy-ca.pem"
_LOOPBACK = frozenset({"127.0.0.1", "localhost"})


def run(process: Process) -> None:
    """Intercept until the owner hangs up; `ca_file` in the config is what servers are checked by.

    Its own authority, key and certificate, lies in its folder. Operations: `address` returns the
    proxy's URL, `forget` drops what was captured, `send_from` sets
    the address that it connects from, `hold` holds the next request back, `held` waits
    for that and tells whether one is held, `release` lets it go on. LabError if it cannot start.
    """
    ca_file, own = process.config["ca_file"], process.folder / OWN_CA_FILE
    # mitmproxy itself would notice the one at the first connection and make up for the other.
    client_context(ca_file)
    server_context(str(own), str(own))
    tap = Tap(Captured(process.folder / CAPTURED_FILE), Hold())
    port: Future[int] = Future()
    options = _options(process.folder, ca_file)
    # The control socket is served by the main thread, which is here until the end.
    thread = threading.Thread(target=_intercept, args=(options, tap, port), daemon=True)
    thread.start()
    proxy = f"http://127.0.0.1:{port.result()}"
    process.serve(
        {
            "address": lambda: {"proxy": proxy},
            "forget": tap.captured.forget,
            "send_from": tap.send_from,
            "hold": tap.hold.arm,
            "held": tap.hold.caught,
            "release": tap.hold.release,
        }
    )


def _options(folder: Path, ca_file: str) -> Options:
    return Options(
        confdir=str(folder),
        mode=["regular"],
        listen_host="127.0.0.1",
        listen_port=0,
        ssl_verify_upstream_trusted_ca=ca_file,
        upstream_cert=False,
        http2=False,
        http3=False,
        rawtcp=False,
        websocket=False,
    )


class Tap:
    """Keep each exchange before the client has its answer; let nothing leave this machine."""

    def __init__(self, captured: Captured, hold: Hold) -> None:
        self.captured = captured
        self.hold = hold
        self._address = ""

    def send_from(self, address: str) -> None:
        """Connect to servers from this local address from now on, empty for any."""
        self._address = address

    def http_connect(self, flow: HTTPFlow) -> None:
        """Refuse a tunnel to anywhere else: the lab attacks only what it started itself."""
        if flow.request.host.lower() not in _LOOPBACK:
            flow.response = TappedResponse.make(403, b"This proxy leads to 127.0.0.1 only.\n")

    def server_connect(self, data: ServerConnectionHookData) -> None:
        """Refuse every other connection to anywhere else, as one that plain HTTP asks for."""
        if data.server.address is None or data.server.address[0].lower() not in _LOOPBACK:
            data.server.error = "This proxy leads to 127.0.0.1 only."
        elif self._address:
            data.server.sockname = (self._address, 0)

    async def request(self, flow: HTTPFlow) -> None:
        """Hold a request back if that was asked for; other connections go on meanwhile."""
        taken = self.hold.take()
        if taken is None or not self._kept(flow, None):
            return
        if not await self.hold.keep(taken) or not flow.client_conn.connected:
            # Its time is up, or its client has given up: it goes nowhere.
            flow.kill()  # type: ignore[no-untyped-call]

    def response(self, flow: HTTPFlow) -> None:
        """Keep an exchange; an answer that cannot be kept is not passed on either."""
        assert flow.response is not None
        self._kept(flow, _response(flow.response))

    def _kept(self, flow: HTTPFlow, response: Response | None) -> bool:
        try:
            self.captured.append(_request(flow.request), response)
        except StorageUnavailable as error:
            logging.error(f"What passed through could not be kept: {error}")
            flow.response = TappedResponse.make(502, f"The interceptor is broken: {error}\n")
            return False
        return True


def _request(tapped: TappedRequest) -> Request:
    """Return the request as its client addressed and wrote it."""
    # Not mitmproxy's properties: they put the method in capitals and the URL in normal form.
    data = tapped.data
    request = Request(data.method.decode("latin-1"), "", _fields(data.headers), _body(tapped))
    # The Host is what a proof names, as long as it is another name of the place that was dialled.
    host = request.value("Host") or ""
    names = {f"{name}:{data.port}" for name in _LOOPBACK}
    authority = host if host.lower() in names else f"{data.host}:{data.port}"
    # RFC 9110 section 7.1: the target URI of "OPTIONS *" has no path.
    path = "" if data.path == b"*" else data.path.decode("latin-1")
    return request.at(f"{tapped.scheme}://{authority}{path}")


def _response(tapped: TappedResponse) -> Response:
    return Response(tapped.status_code, _fields(tapped.headers), _body(tapped))


def _body(message: Message) -> bytes:
    return message.raw_content or b""  # as it was sent: not decompressed


def _fields(headers: Headers) -> Fields:
    return tuple((n.decode("latin-1"), v.decode("latin-1")) for n, v in headers.fields)


class _Mitmproxy(Master):
    """Be mitmproxy, and tell the port once it is open."""

    def __init__(self, options: Options, port: Future[int]) -> None:
        super().__init__(options)
        self._port = port
        self._proxyserver = Proxyserver()  # type: ignore[no-untyped-call]

    def add(self, tap: Tap) -> None:
        """Add what it needs, and none of its thirty default addons: some change what passes."""
        addons = [self._proxyserver, NextLayer(), TlsConfig(), tap]
        self.addons.add(*addons)  # type: ignore[no-untyped-call]
        # No connection to the server before there is a request for it.
        self.options.update(connection_strategy="lazy")  # type: ignore[no-untyped-call]

    async def running(self) -> None:
        """Be told that everything was started that could be."""
        await super().running()
        ports = [address[1] for address in self._proxyserver.listen_addrs()]
        if not self._port.done():
            self._port.set_result(ports[0])


class _Errors(logging.Handler):
    """Print errors; until the port is open they end the start, as mitmproxy itself goes on."""

    def __init__(self, port: Future[int]) -> None:
        super().__init__(logging.ERROR)
        self._port = port

    def emit(self, record: logging.LogRecord) -> None:
        """Take what mitmproxy or asyncio logs as an error."""
        if self._port.done():
            print(self.format(record), file=sys.stderr)
        else:
            self._port.set_exception(_not_started(record.getMessage()))


def _not_started(why: object) -> LabError:
    return LabError(f"The interceptor could not start: {why}.", todo="Start the lab again.")


def _intercept(options: Options, tap: Tap, port: Future[int]) -> None:
    """Run mitmproxy's event loop; the process ends with it, as nobody answers at its port then."""
    # Only errors are logged: lesser records hold what clients have sent.
    logging.basicConfig(level=logging.ERROR, handlers=[_Errors(port)], force=True)
    try:
        asyncio.run(_serve(options, tap, port))
        raise RuntimeError("mitmproxy stopped")
    except BaseException as error:
        if not port.done():
            port.set_exception(_not_started(f"{type(error).__name__}: {error}"))
            return
        logging.exception("The interceptor failed.")
    os._exit(1)


async def _serve(options: Options, tap: Tap, port: Future[int]) -> None:
    mitmproxy = _Mitmproxy(options, port)
    mitmproxy.add(tap)
    await mitmproxy.run()
