"""What only all rows of a sample sheet together show. `samples`: line of the sheet -> its sample.

Each raises SampleSheetRefused with file, line and remedy.
"""

from __future__ import annotations

from collections.abc import Mapping

from porewatch.domain.errors import SampleSheetRefused
from porewatch.domain.runs import Sample, SampleRole


def refuse_duplicates(samples: Mapping[int, Sample], file: str) -> None:
    """Names and barcodes are given once, and barcodes to all where there are several samples."""
    for what in ("name", "barcode"):
        first: dict[str, int] = {}
        for line, sample in samples.items():
            value = getattr(sample, what)
            if value is None and what == "barcode" and len(samples) > 1:
                raise SampleSheetRefused(
                    f"sample {sample.name!r} has no barcode.",
                    file=file,
                    line=line,
                    remedy="with more than one sample, every sample needs a barcode.",
                )
            if value is not None and value in first:
                raise SampleSheetRefused(
                    f"{what} {value!r} was already given in line {first[value]}.",
                    file=file,
                    line=line,
                    remedy=f"give every sample a {what} of its own.",
                )
            if value is not None:
                first[value] = line


def refuse_lonely_controls(samples: Mapping[int, Sample], file: str) -> None:
    """A batch that only controls name is a misspelt one: they would speak for nobody."""
    named = {s.batch for s in samples.values() if s.role is SampleRole.SAMPLE}
    for line, sample in samples.items():
        if named and sample.batch is not None and sample.batch not in named:
            there = ", ".join(sorted(b for b in named if b)) or "none"
            raise SampleSheetRefused(
                f"batch {sample.batch!r} has controls and no sample.",
                file=file,
                line=line,
                remedy=f"use a batch of the samples ({there}), or leave the cell empty: "
                "then the control is for the whole run.",
            )
