"""Files and folders on this machine as a sealed manifest: named, checked whole, digested.

The same files give the same manifest, so that the same screen carries on where it was.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

from porewatch.domain.errors import InputRefused
from porewatch.domain.phases import Phase, Progress
from porewatch.domain.runs import RunManifest
from porewatch.domain.sample_sheet import parse_sample_sheet
from porewatch.domain.sealing import input_file, run_path, seal
from porewatch.reads.check import check_file
from porewatch.reads.folder import look_into
from porewatch.reads.naming import kind_of
from porewatch.reads.summary import ReadsSummary

Heard = Callable[[Progress], None]


def check_reads(
    reads: Iterable[Path],
    sample_sheet: Path | None,
    bundle: str,
    progress: Heard,
    threads: int = 1,
) -> tuple[RunManifest, dict[str, Path]]:
    """A sealed manifest of files that were checked to the last byte, and where each file lies.

    `threads` files are checked at a time; of several bad ones the first in order is told.
    """
    sheet = sample_sheet.read_bytes() if sample_sheet else None
    samples = parse_sample_sheet(sheet, file=str(sample_sheet)) if sheet is not None else None
    sources = _named(list(_files(reads)))

    def check(path: Path) -> ReadsSummary:
        progress(Progress(phase=Phase.QUALITY_CONTROL, note=f"checking {path.name}"))
        return check_file(path)

    with ThreadPoolExecutor(threads) as pool:
        summaries = dict(zip(sources, pool.map(check, sources.values()), strict=True))
    latest = max(path.stat().st_mtime for path in sources.values())
    manifest = seal(
        [input_file(name, s.size, s.sha256) for name, s in summaries.items()],
        run_id=_run_id(next(iter(sources.values()))),
        created_at=datetime.fromtimestamp(int(latest), UTC),  # the same files, the same manifest
        created_by="porewatch screen",
        samples=samples,
        sequencing=next(iter(summaries.values())).sequencing,
        bundle=bundle,
    )
    return manifest, sources


def _files(reads: Iterable[Path]) -> Iterable[Path]:
    for path in reads:
        if path.is_dir():
            yield from look_into(path).reads.values()
        elif path.is_file():
            kind_of(path.name)
            yield path
        else:
            raise InputRefused(
                "there is no such file or folder.",
                file=str(path),
                remedy="name files that end in .fastq.gz, .bam or .pod5, or a folder of them.",
            )


def _named(files: list[Path]) -> dict[str, Path]:
    """Each file under its name in a run; files of one name are told apart by their folders."""
    if not files:
        raise InputRefused("no reads were given.", remedy="name .fastq.gz, .bam or .pod5 files.")
    named: dict[str, Path] = {}
    for path in files:
        name = run_path("/".join(path.parts[-2:]))
        if name in named:
            kind, _, rest = name.partition("/")
            name = f"{kind}/{path.parent.name}/{rest}"
        if name in named:
            raise InputRefused(
                f"it has the same name and folder as {named[name]}.",
                file=str(path),
                remedy="give the two files different names, or name it only once.",
            )
        named[name] = path
    return named


def _run_id(first: Path) -> str:
    stem = re.sub(r"[^A-Za-z0-9_-]+", "-", first.name.split(".")[0]).strip("-_")
    return stem[:48] or "reads"
