"""One message to people: what every notice has."""

from __future__ import annotations

from typing import Annotated

from pydantic import StringConstraints

from porewatch.domain.base import Model
from porewatch.domain.facts.fact import Fact
from porewatch.domain.visible import visible

SUBJECT_CHARS = 100
Subject = Annotated[str, StringConstraints(pattern=r"^[ -~]{1,100}$")]


class Notice(Model):
    """One message. `kind` is the fact's name; `subject` is ASCII, as e-mail through SNS must be."""

    kind: str
    run_id: str = ""
    severity: str = ""
    subject: Subject
    body: str


def notice_about(fact: Fact, subject: str, body: str, severity: str = "") -> Notice:
    """The notice about a fact, its subject cut to what SNS takes."""
    ascii_only = visible(subject).encode("ascii", "replace").decode()
    short = ascii_only if len(ascii_only) <= SUBJECT_CHARS else ascii_only[:97] + "..."
    return Notice(
        kind=type(fact).__name__, run_id=fact.run_id, severity=severity, subject=short, body=body
    )
