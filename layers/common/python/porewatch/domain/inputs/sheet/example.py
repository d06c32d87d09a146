"""A sample sheet to begin with, for each use. What it holds passes the parser as it is."""

from __future__ import annotations

from enum import StrEnum

from porewatch.domain.inputs.sheet.columns import BY_FIELD


class Layout(StrEnum):
    """Which columns an example has."""

    MINIMAL = "minimal"  # what a screen with quantities needs
    FULL = "full"  # every column of ours
    MINKNOW = "minknow"  # those that MinKNOW reads when a run is set up


_MINIMAL = ("name", "barcode", "role", "material", "volume_ml", "spike_copies")
_MINKNOW = ("flow_cell_id", "kit", "sample_id", "experiment_id", "barcode", "alias", "type")

_OF_A_SAMPLE = {
    "batch": "1", "material": "dna", "volume_ml": "0.5", "spike_copies": "100000",
    "extraction_efficiency": "0.8", "spike_cv": "0.1", "extraction_cv": "0.2",
    "nucleic_acid_ng_per_ml": "12", "nucleic_acid_cv": "0.1", "min_read_length": "200",
    "min_block": "100", "species": "Sus scrofa", "tissue": "blood", "collected": "2026-03-01",
    "received": "2026-03-02", "requester": "A. Requester", "analyst": "B. Analyst",
}  # fmt: skip
_OF_A_CONTROL = frozenset(
    {"batch", "material", "volume_ml", "spike_copies", "extraction_efficiency", "analyst"}
)
_MINKNOWS_OWN = {"kit": "SQK-NBD114-24", "sample_id": "pool-1", "experiment_id": "screen-1"}
_TYPES = {"sample": "test_sample"}


def example(layout: Layout, *, samples: int, positive: bool) -> list[list[str]]:
    """Rows of cells, the header first: `samples` samples, a no-template control, and a positive
    control where it is wanted."""
    columns = _columns(layout, positive)
    rows = [_sample(number) for number in range(1, samples + 1)]
    rows.append(_control("NTC", "no_template_control", "water through the whole procedure"))
    if positive:
        row = _control("PC", "positive_control", "name the panel codes that it must show")
        rows.append(row | {"expected_codes": "PCV2"})
    for number, row in enumerate(rows, 1):
        row["barcode"] = f"barcode{number:02d}"
        row.update(_MINKNOWS_OWN, alias=row["name"], type=_TYPES.get(row["role"], row["role"]))
    return [list(columns), *([row.get(c, "") for c in columns] for row in rows)]


def _columns(layout: Layout, positive: bool) -> tuple[str, ...]:
    if layout is Layout.MINKNOW:
        return _MINKNOW
    if layout is Layout.FULL:
        return (*BY_FIELD, "notes")
    return (*_MINIMAL, *(("expected_codes",) if positive else ()), "notes")


def _sample(number: int) -> dict[str, str]:
    own = {
        "name": f"pig-{number}",
        "role": "sample",
        "accession": f"2026-{number:04d}",
        "animal": f"animal {number}",
        "notes": "replace by your own",
    }
    return _OF_A_SAMPLE | own


def _control(name: str, role: str, notes: str) -> dict[str, str]:
    shared = {field: _OF_A_SAMPLE[field] for field in _OF_A_CONTROL}
    return shared | {"name": name, "role": role, "notes": notes}
