"""Of reads that a sequencer wrote in several kinds, one kind is screened: FASTQ, BAM, POD5.

FAST5 and POD5 beside called reads are their signal. No second copy may be the only copy that a
sample has.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import PurePosixPath

from porewatch.domain.errors import InputRefused, Refused
from porewatch.domain.inputs.barcodes_in_paths import is_undecided
from porewatch.domain.inputs.file_kinds import kind_of
from porewatch.domain.inputs.file_names import KIND_FOLDER
from porewatch.domain.runs import ReadKind

PREFERRED = (ReadKind.FASTQ, ReadKind.BAM, ReadKind.POD5)
"""Which kind is screened where the same reads lie in several."""
MOST_NAMED = 20


def one_kind(
    reads: Iterable[str], old_signal: Iterable[str], barcodes: Mapping[str, str | None]
) -> tuple[list[str], list[str], list[Refused]]:
    """(kept, copies, faults). `old_signal` = FAST5 files; `barcodes`: path -> barcode."""
    kinds = {path: kind_of(path) for path in reads}
    fast5 = sorted(old_signal)
    if not kinds:
        return [], [], _nothing_but_signal(fast5)
    kept_kind = next(kind for kind in PREFERRED if kind in kinds.values())
    kept = [path for path, kind in kinds.items() if kind is kept_kind]
    others = [path for path, kind in kinds.items() if kind is not kept_kind]
    faults = [*_loose(kinds, others, kept_kind), *_only_copies(kept, [*others, *fast5], barcodes)]
    return kept, [*others, *fast5], faults


def _nothing_but_signal(fast5: list[str]) -> list[Refused]:
    faults: list[Refused] = []
    for path in fast5[:MOST_NAMED]:
        try:
            kind_of(path)
        except Refused as refusal:
            faults.append(refusal)
    if len(fast5) > MOST_NAMED:
        faults.append(InputRefused(f"{len(fast5) - MOST_NAMED} more files are FAST5."))
    return faults


def _loose(kinds: Mapping[str, ReadKind], others: list[str], kept: ReadKind) -> list[Refused]:
    """Kinds side by side in MinKNOW's folders are the same reads; loose ones may or may not be."""
    loose = [p for p in kinds if not any(map(KIND_FOLDER.match, PurePosixPath(p).parts[:-1]))]
    if not others or not loose:
        return []
    path = next((p for p in loose if p in others), loose[0])
    beside = f"{kept} files" if path in others else "files of another kind"
    return [
        InputRefused(
            f"it lies beside {beside}, and may hold the same reads again.",
            file=path,
            remedy="name the files of one kind, or put each kind into a folder of its own "
            "and send them as two runs.",
        )
    ]


def _only_copies(
    kept: list[str], copies: list[str], barcodes: Mapping[str, str | None]
) -> list[Refused]:
    """A barcode whose reads come in no file of the kind that is screened would be lost."""
    there = {barcodes.get(path) for path in kept}
    lost: dict[str, str] = {}
    for path in copies:
        barcode = barcodes.get(path)
        if barcode and barcode not in there and there != {None} and not is_undecided(path):
            lost.setdefault(barcode, path)
    return [
        InputRefused(
            f"{barcode} comes in this kind only, and other barcodes in another.",
            file=path,
            remedy="send all barcodes in one kind; call FAST5 or POD5 first.",
        )
        for barcode, path in sorted(lost.items())
    ]
