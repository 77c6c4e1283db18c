"""The whole catalogue, in the order of its sections."""

from __future__ import annotations

from collections import Counter
from functools import cache

from labsim.catalogue.vector import Actor, Section, Vector
from labsim.rooms import rooms


@cache
def sections() -> tuple[Section, ...]:
    """Return every section, in the catalogue's order."""
    found = rooms("labsim.catalogue.sections", "SECTION").values()
    return tuple(sorted(found, key=lambda section: (section.number, section.name)))


def catalogue(binding: str | None = None, actor: Actor | None = None) -> tuple[Vector, ...]:
    """Return the vectors for a binding and a server, or for all."""
    return tuple(
        vector
        for section in sections()
        for vector in section.vectors
        if binding in (None, vector.binding) and actor in (None, vector.actor)
    )


def rows_by_document() -> dict[str, int]:
    """Count rows by the document they come from, most first; a row for two servers counts once."""
    rows = {(vector.id, vector.document) for vector in catalogue()}
    return dict(Counter(document for _, document in sorted(rows)).most_common())
