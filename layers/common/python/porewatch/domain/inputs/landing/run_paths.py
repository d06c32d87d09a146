"""Where the files of a folder lie in a run: `<kind>/<folders that say something>/<name>`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from porewatch.domain.errors import InputRefused
from porewatch.domain.inputs.barcodes_in_paths import barcode_of
from porewatch.domain.inputs.file_kinds import (
    folders_and_name,
    kind_of,
)
from porewatch.domain.inputs.file_names import KIND_FOLDER
from porewatch.domain.inputs.sample_keys import (
    file_keys,
    keyed,
)
from porewatch.domain.runs import Sample


def run_path(path: str) -> str:
    """`x/fastq_pass/barcode07/a.fastq.gz` -> `fastq/barcode07/a.fastq.gz`; `a.bam` -> `bam/a.bam`.

    The folders below the last folder of a kind; a barcode above it stays, too.
    """
    folders, name = folders_and_name(path)
    below = [i for i, folder in enumerate(folders) if KIND_FOLDER.match(folder)]
    cut = below[-1] + 1 if below else 0
    inner = folders[cut:] if below else [f for f in folders if barcode_of(f)]
    above = [f for f in folders[:cut] if barcode_of(f) and not any(map(barcode_of, inner))]
    return "/".join([kind_of(path).value, *above, *inner, name])


def run_paths(paths: Iterable[str], samples: Sequence[Sample] = ()) -> dict[str, str]:
    """Path as it lies -> path in the run. Files that would take the same place keep all their
    folders. Where a path bears the name of one of `samples`, it gets the sample's key. Raises
    InputRefused when two files would take one place even so."""
    keys = file_keys(samples)
    short = {path: keyed(run_path(path), keys) for path in paths}
    taken = Counter(place.lower() for place in short.values())
    placed: dict[str, str] = {}
    owner: dict[str, str] = {}
    for path, place in short.items():
        alone = taken[place.lower()] == 1
        target = place if alone else keyed(f"{kind_of(path).value}/{path}", keys)
        if target in owner:
            raise InputRefused(
                f"it would take the same place in the run ({target}) as {owner[target]}.",
                file=path,
                remedy="give the two files different names.",
            )
        owner[target] = path
        placed[path] = target
    return placed
