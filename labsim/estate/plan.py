"""The frozen definition of an estate: which clients call which resources, and what lies there.

The grammar of an estate file (TOML; `data/estate.toml` is one). Every key must be there, no other
may be, and the tables below say what each one means:

    estate    = name, token_seconds, [resources.NAME] ..., [clients.NAME] ..., [stories.NAME] ...
    resource  = title, zone, stands_for, records
    client    = title, kind, stands_for, calls, scopes, grant, authentication, binding, custody
    story     = title, sentence, client, thefts
    NAME      = a lower-case letter, then at most 39 of a-z, 0-9, "-" and "_"
    scope     = NAME of a resource, "." and "read" or "write"
    grant     = "client_credentials" or "refresh_token"
    authentication = "client_secret_basic", "private_key_jwt" or "tls_client_auth"
    binding   = a file in labsim/bindings/
    custody   = "file", "memory" or "signer"

A client and a resource never have the same name, for each gets a folder and a process of that
name. A resource's `records` is a JSON file beside the estate file, a list of

    record    = id, sensitivity, title, text

where `text` may hold placeholders for lab credentials (see `records`). An id is there once in the
whole estate, so that "how many records" has one meaning.

A plan says what an estate is when it starts. What it has become since (a client that was bound,
a token that was stolen) is run state and not kept here.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal, get_args

from labsim.errors import LabError
from labsim.estate import checked_table
from labsim.estate.checked_table import Table, shown
from labsim.estate.names import RESERVED
from labsim.estate.possible_thefts import THEFTS, why_not
from labsim.rooms import names

DATA = Path(__file__).resolve().parents[2] / "data"
"""The folder of the lab's own estate; it lies beside the package, in the repository."""

Sensitivity = Literal["public", "internal", "confidential", "secret"]
ClientKind = Literal["workload", "agent"]
Grant = Literal["client_credentials", "refresh_token"]
Authentication = Literal["client_secret_basic", "private_key_jwt", "tls_client_auth"]
Custody = Literal["file", "memory", "signer"]

_ESTATE = {
    "name": "what this estate is called",
    "token_seconds": "how long an access token lives, in lab seconds",
    "resources": "the resource servers, which hold records",
    "clients": "the workloads and agents, which hold tokens and keys",
    "stories": "whose token is stolen in the demo, and how",
}
_RESOURCE = {
    "title": "what a person calls this resource server",
    "zone": "the part of the estate it belongs to, by which the map groups it",
    "stands_for": "what it stands for in the real world",
    "records": "the JSON file with its records, beside the estate file",
}
_RECORD = {
    "id": "the record's name, there once in the whole estate",
    "sensitivity": "how bad it is when a stranger reads the record",
    "title": "what the record is about, in one line",
    "text": "what the record says; {client_secret:NAME} and the like are filled in at start",
}
_CLIENT = {
    "title": "what a person calls this client",
    "kind": "whether it is a workload (a program) or an agent (an AI agent)",
    "stands_for": "what it stands for in the real world",
    "calls": "the resource servers it asks for records",
    "scopes": "what its tokens allow, RESOURCE.read or RESOURCE.write of what it calls",
    "grant": "how it gets tokens (RFC 6749 sections 4.4 and 6)",
    "authentication": "how it shows the authorization server who it is (RFC 7591 section 2)",
    "binding": "the binding it starts with: a file in labsim/bindings/",
    "custody": "where its key lies: in a file, in its memory, or in a process that only signs",
}
_STORY = {
    "title": "the story's headline",
    "sentence": "what happens in it, in one sentence",
    "client": "the client that loses its token",
    "thefts": "the ways in which the token gets out: files in labsim/thefts/",
}


@dataclass(frozen=True, slots=True)
class Record:
    """Hold one record of a resource server; reading it is what a thief is after."""

    id: str
    sensitivity: Sensitivity
    title: str
    text: str


@dataclass(frozen=True, slots=True)
class Resource:
    """Describe one resource server and what it holds; `file` is where its records come from."""

    name: str
    title: str
    zone: str
    stands_for: str
    file: str
    records: tuple[Record, ...]

    @property
    def scopes(self) -> tuple[str, str]:
        """Return the two scopes of this resource: to read and to write."""
        return f"{self.name}.read", f"{self.name}.write"


@dataclass(frozen=True, slots=True)
class Client:
    """Describe one workload or agent: what it calls, and how it gets and keeps its token."""

    name: str
    title: str
    kind: ClientKind
    stands_for: str
    calls: tuple[str, ...]
    scopes: tuple[str, ...]
    grant: Grant
    authentication: Authentication
    binding: str
    custody: Custody


@dataclass(frozen=True, slots=True)
class Story:
    """Describe one story: the client that loses its token, and the thefts by which it does."""

    name: str
    title: str
    sentence: str
    client: str
    thefts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Plan:
    """Hold a whole estate's definition. It never changes; a run's state is kept elsewhere."""

    name: str
    token_seconds: int
    resources: Mapping[str, Resource]
    clients: Mapping[str, Client]
    stories: Mapping[str, Story]
    file: Path

    def resource(self, name: str) -> Resource:
        """Return a resource by name; LabError that lists those there are."""
        if not isinstance(name, str) or name not in self.resources:
            raise LabError.unknown("resource server", name, self.resources)
        return self.resources[name]

    def client(self, name: str) -> Client:
        """Return a client by name; LabError that lists those there are."""
        if not isinstance(name, str) or name not in self.clients:
            raise LabError.unknown("client", name, self.clients)
        return self.clients[name]

    def within_reach(self, client: str) -> tuple[str, ...]:
        """Return the ids of all records at the resources that this client calls."""
        calls = self.client(client).calls
        return tuple(record.id for name in calls for record in self.resource(name).records)

    def to_json(self) -> dict[str, Any]:
        """Return the plan as JSON values, records and all, to hand it to another process."""
        return {
            "name": self.name,
            "token_seconds": self.token_seconds,
            "resources": [asdict(resource) for resource in self.resources.values()],
            "clients": [asdict(client) for client in self.clients.values()],
            "stories": [asdict(story) for story in self.stories.values()],
            "file": str(self.file),
        }

    @staticmethod
    def from_json(value: Mapping[str, Any]) -> Plan:
        """Rebuild a plan from what `to_json` returned; that was checked when it was loaded."""

        def frozen(table: Mapping[str, Any]) -> dict[str, Any]:
            return {k: tuple(v) if isinstance(v, list) else v for k, v in table.items()}

        return Plan(
            name=value["name"],
            token_seconds=value["token_seconds"],
            resources=_by_name(
                Resource(**{**r, "records": tuple(Record(**record) for record in r["records"])})
                for r in value["resources"]
            ),
            clients=_by_name(Client(**frozen(client)) for client in value["clients"]),
            stories=_by_name(Story(**frozen(story)) for story in value["stories"]),
            file=Path(value["file"]),
        )


def _by_name[Named: (Resource, Client, Story)](each: Iterable[Named]) -> Mapping[str, Named]:
    return MappingProxyType({one.name: one for one in each})


def load(named: Path | str | None = None) -> Plan:
    """Load an estate file (the lab's own if none is named); LabError if anything is wrong in it."""
    file = _estate_file(named)
    table = Table(file, "", checked_table.read(file), _ESTATE)
    resources = _by_name(_resources(table))
    _refuse_double_ids(resources)
    clients = _by_name(_clients(table, resources))
    return Plan(
        name=table.name("name"),
        token_seconds=table.whole_number("token_seconds", 1, 366 * 24 * 3600),
        resources=resources,
        clients=clients,
        stories=_by_name(_stories(table, clients, resources)),
        file=file,
    )


def _estate_file(named: object) -> Path:
    if isinstance(named, Path | str):
        return Path(named)
    if named is not None:
        todo = "Write its path, or leave it out: the lab has an estate of its own."
        raise LabError(f"{named!r} is no estate file.", "No estate was loaded.", todo)
    if not DATA.is_dir():
        todo = "Run labsim from a clone of its repository, which has data/ beside labsim/."
        raise LabError(f"The folder {shown(DATA)} is missing.", "No estate was loaded.", todo)
    return DATA / "estate.toml"


def _resources(estate: Table) -> Iterator[Resource]:
    for name, table in estate.tables("resources", _RESOURCE, RESERVED):
        title, zone, stands_for = table.text("title"), table.name("zone"), table.text("stands_for")
        file = estate.file.parent / table.text("records")
        yield Resource(name, title, zone, stands_for, shown(file), tuple(_records(file)))


def _records(file: Path) -> Iterator[Record]:
    values = checked_table.read(file)
    if not isinstance(values, list) or not values:
        todo = f"Write a list of tables with the keys {', '.join(_RECORD)}."
        raise LabError(f"{shown(file)} must hold a list of at least one record.", todo=todo)
    for number, value in enumerate(values, 1):
        table = Table(file, f"record {number}", value, _RECORD)
        yield Record(
            id=table.name("id"),
            sensitivity=table.one_of("sensitivity", get_args(Sensitivity)),
            title=table.text("title"),
            text=table.text("text", lines=True),
        )


def _refuse_double_ids(resources: Mapping[str, Resource]) -> None:
    seen: dict[str, str] = {}
    for file, record in ((r.file, record) for r in resources.values() for record in r.records):
        if record.id in seen:
            meaning = f"An id is {_RECORD['id']}; the other one is in {seen[record.id]}."
            todo = "Give one of the two another id."
            raise LabError(f"{file}: the id {record.id!r} is there twice.", meaning, todo)
        seen[record.id] = file


def _clients(estate: Table, resources: Mapping[str, Resource]) -> Iterator[Client]:
    for name, table in estate.tables("clients", _CLIENT, RESERVED | set(resources)):
        calls = table.some_of("calls", resources)
        scopes = table.some_of("scopes", [s for call in calls for s in resources[call].scopes])
        for call in calls:
            if resources[call].scopes[0] not in scopes:
                problem = f"no scope to read {call!r}, which this client calls"
                raise table.refusal("scopes", problem, f"Add {call}.read, or do not call it.")
        yield Client(
            name=name,
            title=table.text("title"),
            kind=table.one_of("kind", get_args(ClientKind)),
            stands_for=table.text("stands_for"),
            calls=calls,
            scopes=scopes,
            grant=table.one_of("grant", get_args(Grant)),
            authentication=table.one_of("authentication", get_args(Authentication)),
            binding=table.one_of("binding", names("labsim.bindings")),
            custody=table.one_of("custody", get_args(Custody)),
        )


def _stories(
    estate: Table, clients: Mapping[str, Client], resources: Mapping[str, Resource]
) -> Iterator[Story]:
    for name, table in estate.tables("stories", _STORY):
        said = table.text("title"), table.text("sentence"), table.one_of("client", clients)
        refused = partial(why_not, clients[said[-1]], clients, resources)
        yield Story(name, *said, table.some_of("thefts", THEFTS, refused))
