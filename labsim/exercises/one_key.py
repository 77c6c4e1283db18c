"""A backup of a client that authenticates by certificate, in three set-ups: what its files open."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from labsim.blast.measured import attempts_frame
from labsim.prediction import Prediction
from labsim.progress_bar import ProgressBar

if TYPE_CHECKING:
    from labsim.lab import Lab

REPLAY: Final = "new_token_for_own_key"
SECRET: Final = "client_secret_basic"
CERTIFICATE: Final = "tls_client_auth"
SETUPS: Final = {
    "dpop_at_signer": ("dpop", "signer"),
    "mtls_in_file": ("mtls", "file"),
    "mtls_at_signer": ("mtls", "signer"),
}


class Setups(Prediction):
    """Hold how the same replay ended in each set-up."""

    def rows(self) -> list[dict[str, str]]:
        """Return one row a set-up."""
        renamed = {"replay": "set-up"}
        return [
            {renamed.get(name, name): said for name, said in row.items()} for row in super().rows()
        ]


def copy_each(
    lab: Lab, predicted: object, reveal: bool = False, client: str = "ci-runner"
) -> Prediction:
    """Copy a client's files in each set-up and get a new token with them; sealed until predicted.

    Meanwhile the client gets its tokens with a certificate; before and after that, with a secret.
    Raises RuntimeError if the client itself is not served, which would prove nothing.
    """
    lab.rotate(client, to=SECRET)  # this may have been stopped halfway, and be run again
    lab.rotate(client, to=CERTIFICATE)
    stub = [{"attempt": n, "replay": s, "records": 0, "seconds": 0} for n, s in enumerate(SETUPS)]
    sealed = Setups(attempts_frame(stub), predicted, reveal).sealed
    rows = []
    with ProgressBar("Copies", "set-ups", len(SETUPS)) as bar:
        for number, (name, (binding, custody)) in enumerate(SETUPS.items(), 1):
            lab.bind(client, binding, custody=custody)
            if any(row["outcome"] != "served" for row in lab.work_rows(client)):
                raise RuntimeError(f"{client} is not served as {name}")
            files = lab.attacker.steal(client, by="container_files")
            replay = lab.attacker.replay
            replay(files[0], REPLAY, "deploy", predicted=None, reveal=not sealed)
            rows.append(lab.attacker.rows[-1] | {"attempt": number, "replay": name})
            bar.reach(number)
    lab.rotate(client, to=SECRET)
    return Setups(attempts_frame(rows), predicted, reveal)
