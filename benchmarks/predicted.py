"""What it takes to predict the blast radius of a large estate, from its plan alone."""

from __future__ import annotations

import random
from pathlib import Path
from types import MappingProxyType

from benchmarks._measuring import figure, seconds
from labsim.blast.predicted import Predictor, predicted
from labsim.commands.bench import Figure
from labsim.errors import LabError
from labsim.estate.plan import Client, Plan, Record, Resource

TITLE = "The blast radius predicted, of an estate that falls whole"
RESOURCES, CLIENTS, RECORDS = 1_000, 2_000, 20
TARGET = 50.0
CASE = ("c0", "log_line", "bearer", "none")


def measure(quick: bool) -> list[Figure]:
    """Predict one theft that leads to every record, each time from the beginning; then again."""
    plan = estate(random.Random(9449))
    found = predicted(plan, *CASE)
    if len(found.records) != RESOURCES * RECORDS:
        raise LabError("The benchmark's estate does not fall whole, so it measures too little.")
    rounds = 5 if quick else 50
    size = f"{RESOURCES:,} resources, {CLIENTS:,} clients, {RESOURCES * RECORDS:,} records"
    took = [1000 * seconds(lambda: predicted(plan, *CASE)) for _ in range(rounds)]
    predictor = Predictor(plan)
    predictor.of(*CASE)
    others = [
        1000 * seconds(lambda n=n: predictor.of(f"c{n}", *CASE[1:])) for n in range(1, rounds + 1)
    ]
    return [
        figure(f"one theft of {size}; {found.hops} hops", took, "ms", target=TARGET),
        figure("another client's, of the same estate", others, "ms"),
    ]


def estate(order: random.Random) -> Plan:
    """Make an estate in which every resource holds two clients' credentials, and all can fall."""
    resources = {f"r{n}": _resource(n, order) for n in range(RESOURCES)}
    clients = {f"c{n}": _client(n, order) for n in range(CLIENTS)}
    return Plan(
        name="large",
        token_seconds=3600,
        resources=MappingProxyType(resources),
        clients=MappingProxyType(clients),
        stories=MappingProxyType({}),
        file=Path("large.toml"),
    )


def _resource(number: int, order: random.Random) -> Resource:
    # The next one's client is always there, so that nothing is out of reach.
    held = [(number + 1) % RESOURCES, order.randrange(CLIENTS)]
    text = "Somebody wrote down what was said in a meeting about a meeting. " * 4
    records = []
    for place in range(RECORDS):
        more = ""
        if place < len(held):
            more = f"{{client_id:c{held[place]}}} {{client_secret:c{held[place]}}}"
        records.append(Record(f"r{number}-{place}", "internal", "A record", text + more))
    return Resource(f"r{number}", f"Resource {number}", "zone", "a test", "", tuple(records))


def _client(number: int, order: random.Random) -> Client:
    calls = tuple(dict.fromkeys((f"r{number % RESOURCES}", f"r{order.randrange(RESOURCES)}")))
    return Client(
        name=f"c{number}",
        title=f"Client {number}",
        kind="workload",
        stands_for="a test",
        calls=calls,
        scopes=tuple(f"{each}.read" for each in calls),
        grant="client_credentials",
        authentication="client_secret_basic",
        binding="bearer",
        custody="file",
    )
