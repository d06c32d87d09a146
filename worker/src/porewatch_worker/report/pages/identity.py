"""Whose report it is: the laboratory and its client, and the animal that a sample comes from."""

from __future__ import annotations

from collections.abc import Iterable

from porewatch.domain.identity import Laboratory
from porewatch.domain.runs import Sample
from porewatch_worker.report.parts.document import Facts
from porewatch_worker.report.parts.i18n import say

OF_SAMPLE = ("accession", "animal", "species", "tissue", "collected", "received")
"""Fields of a sample, in the order in which a reader looks for them."""


def letterhead(laboratory: Laboratory | None) -> Facts:
    """The letterhead of the run's report; no pairs when no laboratory or client is stated."""
    return Facts(tuple(_of_laboratory(laboratory or Laboratory())))


def identity(sample: Sample, laboratory: Laboratory | None, of_run: Iterable[Sample] = ()) -> Facts:
    """The letterhead of one sample's report: the sample's own fields have precedence over the
    run's. Where the samples `of_run` have several requesters, the run's client and project are
    shown only for the run's own requester: they might belong to another."""
    own = laboratory or Laboratory()
    requesters = {s.requester or own.requester for s in of_run}
    if len(requesters) > 1 and sample.requester not in (None, own.requester):
        own = own.model_copy(update={"client": None, "project": None})
    people = {
        name: getattr(sample, name) or getattr(own, name) for name in ("requester", "analyst")
    }
    pairs = [(say(f"identity.{name}"), str(getattr(sample, name) or "")) for name in OF_SAMPLE]
    return Facts(
        (
            *_of_laboratory(own.model_copy(update=people)),
            (say("head.sample"), sample.name),
            *((name, value) for name, value in pairs if value),
        )
    )


def _of_laboratory(own: Laboratory) -> Iterable[tuple[str, str]]:
    where = say("name.joint").join(part for part in (own.laboratory, *own.address) if part)
    pairs = [("laboratory", where), *((n, getattr(own, n)) for n in _LINES)]
    return ((say(f"identity.{name}"), value) for name, value in pairs if value)


_LINES = ("contact", "client", "project", "requester", "analyst")
