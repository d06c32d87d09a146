"""A run goes by the digest of its manifest, so later versions must not change it."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any, ClassVar

import pytest
from pydantic import Field, ValidationError

from porewatch.domain.identity import Laboratory
from porewatch.domain.manifest_part import ManifestPart
from porewatch.domain.runs import RunManifest, Sample, SampleRole, Sequencing
from porewatch.domain.sealing import input_file, seal

BEFORE = "c61e72b507cf5038da263dc4b7d1216c26132fa30172b7db7917985d86bf9963"
"""Digest of `full()`, written down from the version that knew no identities (commit 33a1d77)."""
FILES = [
    input_file("fastq/barcode01/a.fastq.gz", 5, "a" * 64),
    input_file("bam/barcode02/b.bam", 7),
]
SAMPLES = (
    Sample(name="pig A", barcode="barcode01", volume_ml=0.5, spike_copies=1e5, spike_cv=0.1),
    Sample(name="pc", barcode="barcode02", role=SampleRole.POSITIVE_CONTROL, expected_codes=("X",)),
    Sample(name="w", barcode="barcode03", role=SampleRole.NO_TEMPLATE_CONTROL, batch="b1"),
    Sample(name="pig B", barcode="barcode04", material="rna", batch="b1"),
)


def full(**more: Any) -> RunManifest:
    made = seal(
        FILES,
        run_id="run-1",
        created_at=datetime(2026, 3, 1, tzinfo=UTC),
        created_by="porewatch submit",
        samples=SAMPLES,
        sequencing=Sequencing(instrument="MN1", flow_cell="FBA1", kit="SQK-NBD114-24"),
        bundle="pig@1",
    )
    return made.model_copy(update=more)


def test_a_manifest_of_an_earlier_version_keeps_its_digest() -> None:
    assert full().digest() == BEFORE
    assert RunManifest.model_validate_json(full().canonical_json()).digest() == BEFORE


@pytest.mark.parametrize(
    "field",
    ["accession", "animal", "species", "tissue", "requester", "analyst", "collected", "received"],
)
def test_every_identity_counts_once_it_is_given(field: str) -> None:
    value = date(2026, 2, 3) if field in ("collected", "received") else "7"
    first, *rest = full().samples
    changed = full(samples=(first.model_copy(update={field: value}), *rest))
    assert changed.digest() != BEFORE
    assert RunManifest.model_validate_json(changed.canonical_json()) == changed


def test_the_laboratory_counts_once_it_is_given() -> None:
    changed = full(laboratory=Laboratory(client="Clínica", address=("Street 1", "Town")))
    assert changed.digest() != BEFORE
    assert RunManifest.model_validate_json(changed.canonical_json()) == changed
    assert '"analyst"' not in changed.canonical_json()


def test_a_field_that_nobody_thought_of_is_left_out_while_at_its_default() -> None:
    class Later(RunManifest):
        later: tuple[str, ...] = ()
        made: dict[str, int] = Field(default_factory=dict)

    later = Later(**full().model_dump())
    assert later.digest() == BEFORE
    assert later.model_copy(update={"later": ("x",)}).digest() != BEFORE


def test_the_first_fields_are_written_even_when_empty() -> None:
    class Part(ManifestPart):
        always: ClassVar[frozenset[str]] = frozenset({"old"})
        old: str | None = None
        new: str | None = None

    assert Part().canonical_json() == '{"old":null}'


@pytest.mark.parametrize(
    ("field", "value", "expected"),
    [
        ("animal", "pig\u202e7", "U+202E RIGHT-TO-LEFT OVERRIDE"),
        ("animal", "pig\x007", "control character"),
        ("tissue", "a\nb", "control character"),
        ("species", "x" * 121, "at most 120"),
        ("accession", " ", "empty"),
        ("collected", 1764288000, "not a day"),
        ("collected", "20261128", "not a day"),
        ("collected", "2026-02-30", "day"),
        ("received", "0202-02-03", "cannot be meant"),
    ],
)
def test_an_identity_that_cannot_be_printed_is_refused(
    field: str, value: Any, expected: str
) -> None:
    with pytest.raises(ValidationError, match=expected.replace("+", r"\+")):
        Sample.model_validate({"name": "a", field: value})


def test_received_before_collected_is_refused() -> None:
    with pytest.raises(ValidationError, match="before it was collected"):
        Sample(name="a", collected=date(2026, 3, 2), received=date(2026, 3, 1))


def test_labels_are_kept_in_one_form() -> None:
    sample = Sample(name="a", animal=" Bla\u0308uli\u00a07 ", species="ブタ")
    assert (sample.animal, sample.species) == ("Bläuli 7", "ブタ")
