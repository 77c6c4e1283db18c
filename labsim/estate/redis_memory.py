"""A replay memory in Redis, for replicas of a server that run on several hosts.

An extra (`pip install labsim[redis]`): nothing else imports the client library. One command
decides, SET with NX, so that of any number of replicas one is first. A server that refuses to keep
more (`maxmemory-policy noeviction`) makes the memory fail closed; any other policy would forget
what was spent, and is refused at the start.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from labsim.checks import StorageUnavailable
from labsim.errors import LabError
from labsim.estate.replay_memory import fingerprint

if TYPE_CHECKING:
    import redis

SECONDS = 2.0
"""Real seconds to wait for an answer."""
LATE = 30
"""Real seconds that a record is kept beyond its time: for requests that wait to be decided."""


def connected(url: str) -> redis.Redis:
    """Connect to a Redis server; LabError if the library, the server or its policy is not there."""
    try:
        import redis
    except ImportError as error:
        raise LabError(
            "The replay memory cannot be kept in Redis: the library redis is not installed.",
            todo="pip install redis, or use the memory in SQLite.",
        ) from error
    client = redis.Redis.from_url(url, socket_timeout=SECONDS, socket_connect_timeout=SECONDS)
    try:
        policy = client.config_get("maxmemory-policy").get("maxmemory-policy")
    except redis.RedisError as error:
        raise LabError(
            f"The replay memory at {url} does not answer: {str(error).rstrip('.')}.",
            "No proof was accepted.",
            "Start Redis there, or use the memory in SQLite.",
        ) from error
    if policy != "noeviction":
        raise LabError(
            f"The Redis server at {url} has the policy {policy}: when it is full it would forget"
            " proofs that were spent.",
            todo="Set maxmemory-policy to noeviction.",
        )
    return client


class RedisReplayMemory:
    """Remember spent proofs in Redis, under a name that the replicas of one server share.

    Redis' own clock ends a record, the lab's clock says how long it is to be kept: lab time that is
    advanced makes it live longer than it must, never shorter.
    """

    def __init__(self, client: redis.Redis, name: str) -> None:
        self._client = client
        self._prefix = f"labsim:{name}:".encode()

    def is_first(self, key: tuple[str, str], until: float, now: float) -> bool:
        """Record `key` until `until` and say whether it is new; raises StorageUnavailable."""
        import redis

        # The record must not end before the proof does (keycloak issue 43505).
        seconds = max(1, math.ceil(until - now)) + LATE
        try:
            answer = self._client.set(self._prefix + fingerprint(key), b"", nx=True, ex=seconds)
        except redis.RedisError as error:
            raise StorageUnavailable(f"Redis: {error}") from error
        return bool(answer)
