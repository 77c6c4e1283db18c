"""Secret scanning: what was pasted is found, and nothing else is taken for a credential."""

from __future__ import annotations

import random
import re

import pytest

from labsim.estate import plan
from labsim.estate.records import filled
from labsim.jose import sign_token
from labsim.keys import SigningKey
from labsim.secret_scanning import ClientCredential, access_tokens, client_credentials
from tests.random_plans import WORDINGS, secret

X, Y = "night-ly.export_2", secret(random.Random(1))
PAIR = re.compile(r"\{client_id:([a-z-]+)\}.*?\{client_secret:([a-z-]+)\}")
KEY = SigningKey.generate()
TOKEN = sign_token({"typ": "at+jwt"}, {"aud": "https://crm.test"}, KEY.private, KEY.algorithm)


@pytest.mark.parametrize(
    "text",
    [
        f"id {X}, secret {Y}.",
        f"{X} with {Y} against https://127.0.0.1:1",
        f"curl -u {X}:{Y} https://127.0.0.1:1/records",
        f"please try it yourself: {X} and {Y}. I will delete this later.",
        f"TOKEN=$(get-token {X} {Y}); curl",
        f"{X} / {Y} - owner: left",
        f'{{"client_id": "{X}", "client_secret": "{Y}"}}',
        f"client_id={X}&client_secret={Y}",
        f"CLIENT_ID={X}\nCLIENT_SECRET={Y}\n",
        f"({X}: {Y})",
        *(word.format(id=X, secret=Y) for word in WORDINGS),
    ],
)
def test_an_id_with_its_secret_is_found_however_it_was_pasted(text: str) -> None:
    assert client_credentials(text) == [ClientCredential(X, Y)]


@pytest.mark.parametrize("end", ["-", "_"])
def test_a_secret_may_begin_and_end_with_any_of_its_characters(end: str) -> None:
    odd = end + Y[1:42] + end
    assert client_credentials(f"-u {X}:{odd}") == [ClientCredential(X, odd)]
    assert client_credentials(f"{X} with {odd}.") == [ClientCredential(X, odd)]


@pytest.mark.parametrize(
    "text",
    [
        "Customer 2031. Paid, packed in two boxes, leaves on Monday with the morning van.",
        f"id {X}, secret {Y[:42]}",
        f"id {X}, secret {Y}A",
        f"secret {Y} of {X}",
        f"the secret is {Y}",
        Y,
        "",
    ],
)
def test_what_is_no_pair_is_not_found(text: str) -> None:
    assert client_credentials(text) == []


def test_each_secret_has_its_own_id_and_a_pair_counts_once() -> None:
    other = secret(random.Random(2))
    text = f"a-1 with {Y}, b-2 with {other}; again a-1 with {Y}, and a bare {other}"
    assert client_credentials(text) == [
        ClientCredential("a-1", Y),
        ClientCredential("b-2", other),
        ClientCredential("bare", other),
    ]
    assert client_credentials(f"a-1 {Y} {other}") == [ClientCredential("a-1", Y)]


def test_an_access_token_is_found_whole_and_its_parts_are_no_secrets() -> None:
    odd = f"eyJ{'A' * 40}.eyJ{'B' * 40}.{'C' * 43}"
    text = f'curl -H "Authorization: Bearer {TOKEN}" https://x.test - or {odd}.'
    assert access_tokens(text) == [TOKEN, odd]
    assert access_tokens(f"{text} {TOKEN}") == [TOKEN, odd]
    assert client_credentials(text) == []
    assert access_tokens(f"{X} with {Y}") == []


def test_every_pair_in_the_labs_own_records_is_found_and_nothing_else() -> None:
    lab, order = plan.load(), random.Random(3)
    secrets = {name: secret(order) for name in lab.clients}
    values = {
        f"url:{name}": f"https://127.0.0.1:{n}/records" for n, name in enumerate(lab.resources)
    }
    values |= {f"client_id:{name}": name for name in lab.clients}
    values |= {f"client_secret:{name}": each for name, each in secrets.items()}
    seen = 0
    for resource in lab.resources.values():
        for record, done in zip(resource.records, filled(resource, values).records, strict=True):
            pairs = [ClientCredential(a, secrets[b]) for a, b in PAIR.findall(record.text)]
            assert len(pairs) == record.text.count("{client_secret:"), record.id
            assert client_credentials(f"{done.title}\n{done.text}") == pairs, record.id
            assert access_tokens(done.text) == []
            seen += len(pairs)
    assert seen >= 7
