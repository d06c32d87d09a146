"""The sample of each file, and faults that would merge two animals into one sample or lose one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from porewatch.domain.errors import InputRefused, ManifestRefused, Refused, SampleSheetRefused
from porewatch.domain.inputs.barcodes_in_paths import (
    barcode_of,
    flow_cell_of,
    is_undecided,
    set_apart_by,
)
from porewatch.domain.inputs.final_summary import FinalSummary
from porewatch.domain.inputs.landing.aliases import Aliases
from porewatch.domain.runs import Sample


def barcodes_of(
    paths: Iterable[str], samples: Sequence[Sample] | None
) -> tuple[dict[str, str | None], list[Refused]]:
    """Path -> barcode: as the path says, else of the sample whose name it bears."""
    aliases = Aliases(samples or ())
    barcodes: dict[str, str | None] = {}
    faults: list[Refused] = []
    for path in paths:
        try:
            barcodes[path] = barcode_of(path) or aliases.barcode_of(path)
        except InputRefused as refusal:
            faults.append(refusal)
    return barcodes, faults


def merged(
    kept: Sequence[str],
    barcodes: Mapping[str, str | None],
    samples: Sequence[Sample] | None,
    sheet: str | None,
) -> list[Refused]:
    """One fault for each way in which samples would be merged or lost."""
    there = sorted({b for path in kept if (b := barcodes.get(path))})
    bare = [p for p in kept if not barcodes.get(p) and not is_undecided(p)]
    faults: list[Refused] = []
    if samples and all(s.barcode is None for s in samples) and len(there) > 1:
        faults.append(
            SampleSheetRefused(
                f"it names one sample without a barcode, and there are files of "
                f"{', '.join(there[:5])}.",
                file=sheet,
                remedy="give every sample its barcode in a column barcode.",
            )
        )
    apart = {set_apart_by(path): path for path in reversed(bare)}
    if there and bare:
        faults.append(_without_barcode(bare, there))
    elif len(apart) > 1:
        faults.append(_set_apart(apart))
    return faults


def _without_barcode(bare: Sequence[str], there: Sequence[str]) -> Refused:
    return InputRefused(
        f"neither its name nor its folders tell a barcode, and other files are of {there[0]}"
        f"{' and others' if len(there) > 1 else ''} ({len(bare)} files like it).",
        file=bare[0],
        remedy="put it into the folder of its barcode, name the sample so in the sample sheet "
        "(alias and barcode), or send it as a run of its own.",
    )


def _set_apart(apart: Mapping[tuple[str, ...], str]) -> Refused:
    paths = sorted(apart.values())
    return InputRefused(
        f"{paths[0]} and {paths[1]} lie in folders of their own and may be of two samples "
        f"({len(apart)} folders).",
        file=paths[1],
        remedy="name the folders by barcode (barcode01), give a sample sheet whose names are the "
        "folders' with a barcode each, or send each folder as a run of its own.",
    )


STRAY_SHARE = 0.01
"""Share of all bytes from which on the files of a barcode that no sample has are no misread
barcodes any more, but a row that the sheet lacks."""


def strays(
    sizes: Mapping[str, int],
    barcodes: Mapping[str, str | None],
    samples: Sequence[Sample] | None,
    sheet: str | None,
) -> tuple[list[str], list[Refused]]:
    """(files of barcodes that no sample has and that are few, faults for those that are many)."""
    listed = {s.barcode for s in samples or ()}
    if not samples or listed == {None}:
        return [], []
    total = sum(sizes[path] for path in barcodes)
    by_barcode: dict[str, list[str]] = {}
    for path, barcode in barcodes.items():
        if barcode and barcode not in listed:
            by_barcode.setdefault(barcode, []).append(path)
    few: list[str] = []
    faults: list[Refused] = []
    for barcode, paths in sorted(by_barcode.items()):
        if sum(sizes[path] for path in paths) < STRAY_SHARE * total:
            few += paths
            continue
        faults.append(
            SampleSheetRefused(
                f"{paths[0]} belongs to {barcode}, which no sample has.",
                file=sheet,
                remedy=f"add a row for {barcode}, or leave its files out.",
            )
        )
    return few, faults


def flow_cells(paths: Iterable[str], summary: FinalSummary | None = None) -> list[str]:
    """Every flow cell that paths and summary name."""
    cells = {cell for path in paths if (cell := flow_cell_of(path))}
    if summary is not None and summary.flow_cell:
        cells.add(summary.flow_cell.upper())
    return sorted(cells)


def several_flow_cells(cells: Sequence[str], file: str | None) -> Refused:
    """Two flow cells may hold other animals under the same barcodes."""
    return ManifestRefused(
        f"there are files of {len(cells)} flow cells: {', '.join(cells)}.",
        file=file,
        remedy="send every flow cell as a run of its own: barcodes may mean other samples there.",
    )
