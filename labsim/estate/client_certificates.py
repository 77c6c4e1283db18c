"""What an operator does with a client's certificate: renew it, or revoke it."""

from __future__ import annotations

from labsim.errors import LabError
from labsim.estate.names import AUTHORIZATION_SERVER, CERTIFICATE_FILE
from labsim.estate.running import Estate


def renew_certificate(estate: Estate, client: str) -> None:
    """Give a client another certificate for the same key (RFC 8705 section 6.3).

    Raises LabError for a client that has none.
    """
    old = _certificate(estate, client)
    renewed = estate.process(AUTHORIZATION_SERVER).call("renew", certificate=old)
    estate.process(client).call("certified", pem=renewed)


def revoke_certificate(estate: Estate, client: str) -> list[str]:
    """Revoke a client's certificate everywhere; return the resource servers that know of it.

    Raises LabError for a client that has none.
    """
    revoked = _certificate(estate, client)
    told: list[str] = estate.process(AUTHORIZATION_SERVER).call("withdraw", certificate=revoked)
    return told


def _certificate(estate: Estate, client: str) -> str:
    estate.plan.client(client)
    estate.process(client)
    file = estate.run_folder / client / CERTIFICATE_FILE
    if not file.exists():
        raise LabError(
            f"{client} has no certificate.",
            "Nothing was changed.",
            f'Give it one first: lab.bind("{client}", "mtls").',
        )
    return file.read_text()
