"""Build a bundle from a folder of FASTA files: read, check, write, mask, seal, make visible.

Everything is written to a folder beside the final place and renamed at the end, so a bundle is
there completely or not at all. A version never changes: build the next one instead.
"""

from __future__ import annotations

import hashlib
import shutil
import tempfile
from collections.abc import Callable, Sequence
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import BinaryIO, Literal

import mappy

from porewatch.domain.base import now
from porewatch.domain.calls.alert_part import SUFFIX, is_alert_part
from porewatch.domain.calls.panel import Panel
from porewatch.domain.calls.references import (
    BundleFile,
    BundleManifest,
    Contig,
    ContigRole,
)
from porewatch.domain.errors import BundleRefused
from porewatch_worker import __version__
from porewatch_worker.references.building.accepting import (
    Draft,
    accept,
)
from porewatch_worker.references.building.fasta import read_fasta
from porewatch_worker.references.building.homology import (
    merge,
    shared_intervals,
)
from porewatch_worker.references.building.sheet import (
    Sheet,
    fasta_files,
    read_sheet,
    sheet_from_names,
)
from porewatch_worker.references.installed import (
    MANIFEST,
    SEAL,
    bundle_folder,
)
from porewatch_worker.references.load import PRESET
from porewatch_worker.references.panel import shipped_panel
from porewatch_worker.references.read_off_sequences import completed
from porewatch_worker.references.verify import sha256_of
from porewatch_worker.science.call.containment import write_kmers

LARGE_HOST = 200_000_000
"""Bases above which the host is stored as an index (2.5 Gb: 135 s to build, 18 s to load)."""

_LINE = 80
FileKey = Literal["panel", "host", "host_index", "panel_list"]


def build_bundle(
    folder: Path,
    root: Path,
    name: str,
    version: str,
    *,
    sheet: Path | None = None,
    panel: Panel | None = None,
    synthetic: bool = False,
    description: str = "",
    created_at: datetime | None = None,
    host_index: bool | None = None,
    panel_k: int = 13,
    panel_w: int = 5,
) -> BundleManifest:
    """Build `<root>/<name>/<version>/` from the FASTA files below `folder`; returns its manifest.

    `sheet` says what each sequence is (see `sheet.py`; without one, folder names do). `panel` is
    the list to screen against (the shipped one unless given). `host_index` True stores a prebuilt
    minimap2 index instead of the host's FASTA, None decides by size. `created_at` makes a build
    reproducible byte for byte. Raises BundleRefused naming file, record and line.
    """
    panel = panel or shipped_panel()
    if is_alert_part(f"{name}@{version}"):
        raise BundleRefused(
            f"names ending in {SUFFIX} are those of alert parts.", remedy="choose another name."
        )
    target = bundle_folder(root, f"{name}@{version}")
    if target.exists():
        raise BundleRefused(
            f"the bundle {name}@{version} is already there and a version never changes.",
            file=str(target),
            remedy="build it under the next version.",
        )
    target.parent.mkdir(parents=True, exist_ok=True)
    draft_folder = Path(tempfile.mkdtemp(dir=target.parent, prefix=".building-"))
    try:
        draft = Draft({entry.code: entry for entry in panel.entries})
        _write_sequences(folder, read_sheet(sheet) if sheet else sheet_from_names(folder),
                         draft, draft_folder)  # fmt: skip
        _mask_shared(draft, draft_folder / "panel.fa", panel_k, panel_w)
        draft.contigs = list(completed(draft.contigs, _sequences(draft_folder / "panel.fa")))
        (draft_folder / "panel.json").write_text(panel.model_dump_json(indent=1), "utf-8")
        index = draft.bases(ContigRole.HOST) > LARGE_HOST if host_index is None else host_index
        if index:
            _index_host(draft_folder)
        manifest = BundleManifest(
            name=name,
            version=version,
            created_at=created_at or now(),
            synthetic=synthetic,
            description=description,
            files=files_of(draft_folder, host_index=index),
            words=stored_kmers(draft.contigs, draft_folder, _sequences(draft_folder / "panel.fa")),
            contigs=tuple(draft.contigs),
            panel_k=panel_k,
            panel_w=panel_w,
            host_bases=draft.bases(ContigRole.HOST),
            tools={"mappy": mappy.__version__, "porewatch-worker": __version__},
        )
        seal(draft_folder, manifest)
        put_in_place(draft_folder, target)
    finally:
        shutil.rmtree(draft_folder, ignore_errors=True)
    return manifest


def _write_sequences(folder: Path, sheet: Sheet, draft: Draft, out: Path) -> None:
    with (out / "panel.fa").open("wb") as panel, (out / "host.fa").open("wb") as host:
        for path in fasta_files(folder):
            for record in read_fasta(path):
                part = sheet.assignment(path.relative_to(folder).as_posix(), record)
                contig = accept(draft, record, part)
                out_file = host if contig.role is ContigRole.HOST else panel
                write_contig(out_file, contig, record.sequence)
    sheet.refuse_leftovers()
    for role, remedy in (
        (ContigRole.PANEL, "add at least one sequence to screen for."),
        (
            ContigRole.HOST,
            "add the host genome (FASTA below host/); host reads cannot be recognised without it.",
        ),
    ):
        if not draft.bases(role):
            raise BundleRefused(
                f"no sequence has the role {role}.", file=str(folder), remedy=remedy
            )


def _mask_shared(draft: Draft, panel_fasta: Path, k: int, w: int) -> None:
    """Add what spike-ins and decoys share with a panel contig to its masked intervals."""
    lengths = {c.name: c.length for c in draft.contigs if c.role is ContigRole.PANEL}
    alone = panel_fasta.with_name("panel-alone.fa")
    controls = []
    with alone.open("wb") as out:
        for record in read_fasta(panel_fasta):
            if record.name in lengths:
                out.write(b">%b\n%b\n" % (record.name.encode(), record.sequence))
            else:
                controls.append(record.sequence.decode())
    shared = shared_intervals(alone, controls, lengths, k, w)
    alone.unlink()
    draft.contigs = [
        contig.model_copy(update={"masked": merge((*contig.masked, *shared[contig.name]))})
        if contig.name in shared
        else contig
        for contig in draft.contigs
    ]


def _sequences(panel_fasta: Path) -> Callable[[str], str]:
    """The panel's sequences by name, read on first use."""

    @cache
    def there() -> dict[str, str]:
        return {r.name: r.sequence.decode() for r in read_fasta(panel_fasta)}

    return lambda name: there()[name]


def write_contig(out: BinaryIO, contig: Contig, sequence: bytes) -> None:
    """As FASTA, with its description in the title."""
    title = f"{contig.name} {contig.description}".strip()
    out.write(f">{title}\n".encode())
    for start in range(0, len(sequence), _LINE):
        out.write(sequence[start : start + _LINE] + b"\n")


def _index_host(folder: Path) -> None:
    """Replace host.fa by the index that loading would otherwise build every time."""
    source = folder / "host.fa"
    index = folder / "host.mmi"
    if not mappy.Aligner(str(source), preset=PRESET, fn_idx_out=str(index)):
        raise BundleRefused("minimap2 cannot index the host.", file=str(source))
    source.unlink()


def files_of(folder: Path, *, host_index: bool) -> dict[FileKey, BundleFile]:
    """The files of a draft, as its manifest names them."""
    names: dict[FileKey, str] = {"panel": "panel.fa", "panel_list": "panel.json"}
    if host_index:
        names["host_index"] = "host.mmi"
    else:
        names["host"] = "host.fa"
    return {key: _describe(folder / name) for key, name in names.items()}


def stored_kmers(
    contigs: Sequence[Contig], folder: Path, sequence: Callable[[str], str]
) -> BundleFile | None:
    """Hashing five megabases takes two seconds: done here once, not in every run."""
    path = folder / "words.npz"
    return _describe(path) if write_kmers(path, contigs, sequence) else None


def _describe(path: Path) -> BundleFile:
    return BundleFile(path=path.name, sha256=sha256_of(path), size=path.stat().st_size)


def seal(folder: Path, manifest: BundleManifest) -> None:
    """Write the manifest, and the digest that vouches for it."""
    text = manifest.model_dump_json(indent=1)
    (folder / MANIFEST).write_text(text, "utf-8")
    (folder / SEAL).write_text(hashlib.sha256(text.encode()).hexdigest() + "\n", "ascii")


def put_in_place(draft: Path, target: Path) -> None:
    """Make a finished draft visible, all at once."""
    draft.chmod(0o755)
    draft.rename(target)
