"""Build a bundle from a folder of FASTA files: read, check, write, mask, seal, make visible.

Everything is written to a folder beside the final place and renamed at the end, so a bundle is
there completely or not at all. A version never changes: build the next one instead.
"""

from __future__ import annotations

import hashlib
import re
import shutil
import tempfile
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import BinaryIO, Literal

import mappy

from porewatch.domain.base import now
from porewatch.domain.errors import BundleRefused
from porewatch.domain.panel import Panel, PanelEntry
from porewatch.domain.references import BundleFile, BundleManifest, Contig, ContigRole
from porewatch_worker import __version__
from porewatch_worker.references.annotation import AnnotationWrong, annotate
from porewatch_worker.references.fasta import FastaRecord, read_fasta
from porewatch_worker.references.homology import merge, shared_intervals
from porewatch_worker.references.load import PRESET
from porewatch_worker.references.masking import masked_intervals
from porewatch_worker.references.panel import shipped_panel
from porewatch_worker.references.sheet import (
    Assignment,
    Sheet,
    fasta_files,
    read_sheet,
    sheet_from_names,
)
from porewatch_worker.references.shelf import MANIFEST, SEAL, bundle_folder
from porewatch_worker.references.verify import sha256_of

LARGE_HOST = 200_000_000
"""Bases above which the host is stored as an index (2.5 Gb: 135 s to build, 18 s to load)."""

EXTRA = "X-"
"""Prefix of targets that are screened for but stand on no list."""

_ACCESSION = re.compile(r"^(?:[A-Z]{1,2}_?\d{5,9}|[A-Z]{4,6}\d{8,})(?:\.\d+)?$")
_PIECE = re.compile(r"\b(?:segment|chromosome) +(?!complete\b)(\w+)", re.IGNORECASE)
"""How INSDC titles name the pieces of a genome: "segment 4", "chromosome II"."""

_IN_SEGMENTS = re.compile(r"\b\d+ segments\b")
_LINE = 80
_FileKey = Literal["panel", "host", "host_index", "panel_list"]


@dataclass
class _Draft:
    """What has been read so far."""

    codes: dict[str, PanelEntry]
    contigs: list[Contig] = field(default_factory=list)
    places: dict[str, str] = field(default_factory=dict)
    digests: dict[bytes, Contig] = field(default_factory=dict)

    def bases(self, role: ContigRole) -> int:
        return sum(contig.length for contig in self.contigs if contig.role is role)


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
        draft = _Draft({entry.code: entry for entry in panel.entries})
        _write_sequences(folder, read_sheet(sheet) if sheet else sheet_from_names(folder),
                         draft, draft_folder)  # fmt: skip
        _mask_shared(draft, draft_folder / "panel.fa", panel_k, panel_w)
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
            files=_files(draft_folder, index),
            contigs=tuple(draft.contigs),
            panel_k=panel_k,
            panel_w=panel_w,
            host_bases=draft.bases(ContigRole.HOST),
            tools={"mappy": mappy.__version__, "porewatch-worker": __version__},
        )
        _seal(draft_folder, manifest)
        draft_folder.chmod(0o755)
        draft_folder.rename(target)
    finally:
        shutil.rmtree(draft_folder, ignore_errors=True)
    return manifest


def _write_sequences(folder: Path, sheet: Sheet, draft: _Draft, out: Path) -> None:
    with (out / "panel.fa").open("wb") as panel, (out / "host.fa").open("wb") as host:
        for path in fasta_files(folder):
            for record in read_fasta(path):
                part = sheet.assignment(path.relative_to(folder).as_posix(), record)
                contig = _accept(draft, record, part)
                _write_record(host if contig.role is ContigRole.HOST else panel, contig, record)
    sheet.refuse_leftovers()
    for role, remedy in (
        (ContigRole.PANEL, "add at least one sequence to screen for."),
        (
            ContigRole.HOST,
            "add the host genome (FASTA below host/); host reads cannot be told apart without.",
        ),
    ):
        if not draft.bases(role):
            raise BundleRefused(
                f"no sequence has the role {role}.", file=str(folder), remedy=remedy
            )


def _accept(draft: _Draft, record: FastaRecord, part: Assignment) -> Contig:
    """Check one sequence against what is there already and add it."""
    place = f"{record.file} record {record.record}"
    if record.name in draft.places:
        raise _refused(
            record,
            f"the name {record.name!r} was used before, in {draft.places[record.name]}.",
            "give every sequence a name of its own.",
        )
    _check_target(draft, record, part)
    contig = _contig(draft, record, part)
    _check_segment(draft, record, contig)
    if contig.role is not ContigRole.HOST:
        twin = draft.digests.setdefault(hashlib.sha256(record.sequence).digest(), contig)
        if twin.target != contig.target:
            raise _refused(
                record,
                f"{record.name!r} ({contig.target}) is the same sequence as {twin.name!r} "
                f"({twin.target}); no read could tell them apart.",
                "remove one of them.",
            )
    draft.places[record.name] = place
    draft.contigs.append(contig)
    return contig


def _check_target(draft: _Draft, record: FastaRecord, part: Assignment) -> None:
    if part.role is not ContigRole.PANEL or part.target.startswith(EXTRA):
        return
    entry = draft.codes.get(part.target)
    if entry is None:
        raise _refused(
            record,
            f"{part.target!r} is no code of the panel list.",
            f"correct the code, or name an extra target {EXTRA}{part.target}.",
        )
    if entry.members:
        raise _refused(
            record,
            f"{part.target!r} is an umbrella for {', '.join(entry.members)}.",
            "use the code of the member.",
        )


def _contig(draft: _Draft, record: FastaRecord, part: Assignment) -> Contig:
    entry = draft.codes.get(part.target) if part.role is ContigRole.PANEL else None
    circular = part.circular if part.circular is not None else bool(entry and entry.circular)
    host = part.role is ContigRole.HOST
    try:
        places = annotate(part.places, record.description, part.target, record.sequence, host=host)
    except AnnotationWrong as error:
        raise _refused(record, str(error), error.remedy) from error
    return Contig(
        name=record.name,
        role=part.role,
        target=part.target,
        length=len(record.sequence),
        circular=circular,
        segment=part.segment or _piece_in(record.description),
        accession=part.accession or (record.name if _ACCESSION.match(record.name) else ""),
        description=part.description or record.description,
        source=part.source or Path(record.file).name,
        masked=() if host else masked_intervals(record.sequence),
        perv_type=places.perv_type,
        features=places.features,
        single_copy=places.single_copy,
    )


def _piece_in(title: str) -> str:
    found = _PIECE.search(title)
    return found[1] if found else ""


def _check_segment(draft: _Draft, record: FastaRecord, contig: Contig) -> None:
    """Pieces without a name would be taken for strains, and most of the genome for missing."""
    entry = draft.codes.get(contig.target) if contig.role is ContigRole.PANEL else None
    segments = _IN_SEGMENTS.search(entry.genome) if entry else None
    if segments and not contig.segment:
        raise _refused(
            record,
            f"{contig.target} has a genome in {segments[0]}, and {record.name!r} does not say "
            "which one it is.",
            "write 'segment N' into its header, or use a sheet with a segment column.",
        )


def _mask_shared(draft: _Draft, panel_fasta: Path, k: int, w: int) -> None:
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


def _refused(record: FastaRecord, problem: str, remedy: str) -> BundleRefused:
    return BundleRefused(
        problem, file=record.file, record=record.record, line=record.line, remedy=remedy
    )


def _write_record(out: BinaryIO, contig: Contig, record: FastaRecord) -> None:
    title = f"{contig.name} {contig.description}".strip()
    out.write(f">{title}\n".encode())
    for start in range(0, len(record.sequence), _LINE):
        out.write(record.sequence[start : start + _LINE] + b"\n")


def _index_host(folder: Path) -> None:
    """Replace host.fa by the index that loading would otherwise build every time."""
    source = folder / "host.fa"
    index = folder / "host.mmi"
    if not mappy.Aligner(str(source), preset=PRESET, fn_idx_out=str(index)):
        raise BundleRefused("minimap2 cannot index the host.", file=str(source))
    source.unlink()


def _files(folder: Path, index: bool) -> dict[_FileKey, BundleFile]:
    names: dict[_FileKey, str] = {"panel": "panel.fa", "panel_list": "panel.json"}
    if index:
        names["host_index"] = "host.mmi"
    else:
        names["host"] = "host.fa"
    return {key: _describe(folder / name) for key, name in names.items()}


def _describe(path: Path) -> BundleFile:
    return BundleFile(path=path.name, sha256=sha256_of(path), size=path.stat().st_size)


def _seal(folder: Path, manifest: BundleManifest) -> None:
    text = manifest.model_dump_json(indent=1)
    (folder / MANIFEST).write_text(text, "utf-8")
    (folder / SEAL).write_text(hashlib.sha256(text.encode()).hexdigest() + "\n", "ascii")
