"""Secret scanning: find pasted credentials in the text of a record, as a thief's tool does.

Nothing here knows the estate: a find is a guess, and a wrong one costs the thief one refused
request. What is found, and so how a record of an estate of your own has to be worded:

- A client secret is a word of 43 base64url characters (`secrets.token_urlsafe(32)`, as the lab
  makes them), with none of those characters right before or after it.
- Its client id stands before it, in the same record: the nearest word that is no filler
  (`_FILLERS`: "secret", "with", "and" and the like). Between the two there may be fillers and
  punctuation, and nothing else. A client id is written in letters, digits, ".", "_" and "-",
  and is no filler itself: a client that is called "key" is never found.
- An access token is a JWT (RFC 7519): three base64url parts, of which two begin with "eyJ".

All of these are found: `id X, secret Y`, `X with Y`, `X and Y`, `X / Y`, `-u X:Y`,
`get-token X Y`, `client_id=X&client_secret=Y`, `{"client_id": "X", "client_secret": "Y"}`.
These are not: `secret Y of X` (the id comes after), `X, and the long one is Y` (words between).
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_SECRET = re.compile(r"(?<![A-Za-z0-9_-])[A-Za-z0-9_-]{43}(?![A-Za-z0-9_-])")
_TOKEN = re.compile(r"(?<![A-Za-z0-9_.-])eyJ[A-Za-z0-9_-]+\.eyJ[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+")
_WORD = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?")
_FILLERS = frozenset(
    {
        "a", "an", "and", "as", "basic", "client", "client-id", "client-secret", "client_id",
        "client_secret", "clientid", "clientsecret", "code", "credential", "credentials", "d",
        "data", "id", "identifier", "is", "its", "key", "login", "name", "or", "pass",
        "passphrase", "password", "plus", "pw", "pwd", "secret", "secret_key", "the", "then", "u",
        "use", "user", "username", "using", "with",
    }
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class ClientCredential:
    """Hold a client's id and secret, as they stood in a text."""

    client_id: str
    secret: str


def client_credentials(text: str) -> list[ClientCredential]:
    """Return each client id with its secret, in the order of the text, each pair once."""
    text = _TOKEN.sub(" ", text)  # a part of a token may be as long as a secret
    found: dict[ClientCredential, None] = {}
    before = 0
    for match in _SECRET.finditer(text):
        client_id = _last_word(text[before : match.start()])
        if client_id:
            found[ClientCredential(client_id, match[0])] = None
        before = match.end()  # a secret is nobody's id, and its own id not the next one's
    return list(found)


def access_tokens(text: str) -> list[str]:
    """Return each access token, in the order of the text, each once."""
    return list(dict.fromkeys(_TOKEN.findall(text)))


def _last_word(text: str) -> str:
    words = (word for word in reversed(_WORD.findall(text)) if word.lower() not in _FILLERS)
    return next(words, "")
