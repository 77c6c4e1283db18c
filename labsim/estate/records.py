"""What each resource server holds: a plan's records, with real lab credentials filled in.

People paste credentials into tickets and support cases. In the files under `data/` such a place
is a placeholder; when the estate starts, each gets a credential of this very run, so that a
thief who reads the record really gets one step further. The placeholders:

    {client_id:CLIENT}      the client's identifier at the authorization server
    {client_secret:CLIENT}  its secret; only clients with client_secret_basic have one
    {url:RESOURCE}          the address at which the resource server answers in this run

How a text has to be worded for a thief to recognise the pair is written in
`labsim.secret_scanning`; no estate has to help its thief, but then it finds nothing.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace

from labsim.errors import LabError
from labsim.estate.plan import Record, Resource

# Also without a colon: `{client_secret}` is a mistake to be told, not a text to be served.
_PLACEHOLDER = re.compile(r"\{([a-z][a-z0-9_]*(?::[A-Za-z0-9._-]*)?)\}")


def placeholders(resource: Resource) -> frozenset[str]:
    """Return what the records of `resource` ask to be filled in, such as `client_id:ci-runner`."""
    return frozenset(
        found for record in resource.records for found in _PLACEHOLDER.findall(record.text)
    )


def filled(resource: Resource, values: Mapping[str, str]) -> Resource:
    """Return the resource with each placeholder of its records replaced by its value.

    `values` has a value for each name between the braces. Raises LabError for one that is not
    there; a value is put in as it is and never looked at again.
    """
    records = tuple(_filled(resource.file, record, values) for record in resource.records)
    return replace(resource, records=records)


def _filled(file: str, record: Record, values: Mapping[str, str]) -> Record:
    def value(match: re.Match[str]) -> str:
        name = match[1]
        if name not in values:
            kind = name.partition(":")[0]
            alike = [each for each in values if each.partition(":")[0] == kind] or list(values)
            raise LabError(
                f"{file}, record {record.id!r}: nothing is known for the placeholder {{{name}}}.",
                "The estate was not started.",
                f"Write one of these in braces: {', '.join(sorted(alike)) or 'none yet'}.",
            )
        return values[name]

    return replace(record, text=_PLACEHOLDER.sub(value, record.text))
