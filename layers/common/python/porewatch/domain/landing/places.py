"""Where the files of a folder lie in a run: `<kind>/<folders that say something>/<name>`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from pathlib import PurePosixPath

from porewatch.domain.errors import InputRefused
from porewatch.domain.landing.names import KIND_FOLDER
from porewatch.domain.landing.tells import barcode_of
from porewatch.domain.naming import kind_of


def run_path(path: str) -> str:
    """`x/fastq_pass/barcode07/a.fastq.gz` -> `fastq/barcode07/a.fastq.gz`; `a.bam` -> `bam/a.bam`.

    The folders below the last folder of a kind; a barcode above it stays, too.
    """
    *folders, name = PurePosixPath(path).parts
    below = [i for i, folder in enumerate(folders) if KIND_FOLDER.match(folder)]
    cut = below[-1] + 1 if below else 0
    inner = folders[cut:] if below else [f for f in folders if barcode_of(f)]
    above = [f for f in folders[:cut] if barcode_of(f) and not any(map(barcode_of, inner))]
    return "/".join([kind_of(path).value, *above, *inner, name])


def places(paths: Iterable[str]) -> dict[str, str]:
    """Path as it lies -> path in the run. Files that would take the same place keep all their
    folders. Raises InputRefused when even those are equal."""
    short = {path: run_path(path) for path in paths}
    taken = Counter(place.lower() for place in short.values())
    placed: dict[str, str] = {}
    owner: dict[str, str] = {}
    for path, place in short.items():
        alone = taken[place.lower()] == 1
        target = place if alone else f"{kind_of(path).value}/{path}"
        if target in owner:
            raise InputRefused(
                f"it would take the same place in the run ({target}) as {owner[target]}.",
                file=path,
                remedy="give the two files different names.",
            )
        owner[target] = path
        placed[path] = target
    return placed
