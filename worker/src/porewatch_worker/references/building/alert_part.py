"""The alert part of a bundle: what screening each file as it lands takes, small enough for a
function.

    panel   members that may alarm, their relatives in the panel, spike-ins and decoys
    host    the stretches that a read could come from that hits such a member, with what is beside

It is a bundle of its own, `name-alert@version`, and is screened with like any other. A read of the
host that would hit a member finds its own place there and is the host's, as in the whole bundle.
Every other read of the host hits nothing.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, BinaryIO

from porewatch.domain.calls.alert_part import alert_name, alert_ref
from porewatch.domain.calls.references import BundleManifest, Contig, ContigRole
from porewatch.domain.errors import BundleRefused
from porewatch_worker.references.building.build import (
    files_of,
    put_in_place,
    seal,
    stored_kmers,
    write_contig,
)
from porewatch_worker.references.building.homology import WINDOW, hits, merge, windows
from porewatch_worker.references.installed import bundle_folder
from porewatch_worker.references.load import LoadedBundle, load, panel_aligner
from porewatch_worker.references.verify import check_bundle, manifest_sha256
from porewatch_worker.suspicions.alarms import grave_codes

BESIDE = 5_000
"""Bases of the host kept on both sides of a stretch that hits: reads reach over its ends, and what
is beside it decides between a copy in the host and a virus."""
MADE_OF = "bundle"
"""Under which an alert part keeps the digest of the bundle that it was made of."""
Progress = Callable[[int], None]
"""Gets how many more bases of the host were looked at."""


def alert_part_of(
    root: Path, ref: str, progress: Progress = lambda _: None
) -> BundleManifest | None:
    """The alert part of a bundle below `root`: the one that is there, or one made now. None when no
    member of its panel may alarm."""
    digest = manifest_sha256(root, ref)
    try:
        there = check_bundle(root, alert_ref(ref))
    except BundleRefused:
        there = None
    if there is not None and there.tools.get(MADE_OF) == digest:
        return there
    bundle = load(root, ref)
    if not grave_codes(bundle.panel) & {c.target for c in bundle.manifest.contigs}:
        return None
    shutil.rmtree(bundle_folder(root, alert_ref(ref)), ignore_errors=True)  # of another build
    return build_alert_part(root, bundle, progress)


def build_alert_part(
    root: Path, bundle: LoadedBundle, progress: Progress = lambda _: None
) -> BundleManifest:
    """Build `<root>/<name>-alert/<version>/` of a bundle; returns its manifest. The same bundle
    gives the same bytes. Raises BundleRefused when it is there already, or when no member of the
    panel may alarm."""
    whole = bundle.manifest
    name = alert_name(whole.name)
    target = bundle_folder(root, f"{name}@{whole.version}")
    if target.exists():
        raise BundleRefused(f"{name}@{whole.version} is already there.", file=str(target))
    target.parent.mkdir(parents=True, exist_ok=True)
    draft = Path(tempfile.mkdtemp(dir=target.parent, prefix=".building-"))
    try:
        panel = _write_panel(bundle, draft)
        host = _write_host(bundle, draft, panel, progress)
        shutil.copyfile(bundle.folder / whole.files["panel_list"].path, draft / "panel.json")
        sequence = bundle.panel_aligner.seq
        update = {
            "name": name,
            "description": f"alert part of {whole.ref}",
            "files": files_of(draft, host_index=False),
            "words": stored_kmers(panel, draft, sequence),
            "contigs": (*panel, *host),
            "tools": {**whole.tools, MADE_OF: bundle.sha256},
        }
        manifest = whole.model_copy(update=update)
        seal(draft, manifest)
        put_in_place(draft, target)
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    return manifest


def _write_panel(bundle: LoadedBundle, draft: Path) -> list[Contig]:
    """The contigs of the alert part that are not the host's, written to `panel.fa`."""
    others = [c for c in bundle.manifest.contigs if c.role is not ContigRole.HOST]
    grave = grave_codes(bundle.panel)
    severe = [c for c in others if c.role is ContigRole.PANEL and c.target in grave]
    if not severe:
        raise BundleRefused(
            f"no member of {bundle.ref} may alarm.", remedy="name severities in its panel list."
        )
    path = draft / "panel.fa"
    _write(path, severe, bundle.panel_aligner.seq)
    aligner = panel_aligner(path, bundle.manifest)
    near = {
        c.target for c in others if c.role is ContigRole.PANEL and _resembles(c, bundle, aligner)
    }
    kept = [c for c in others if c.role is not ContigRole.PANEL or c.target in near | grave]
    _write(path, kept, bundle.panel_aligner.seq)
    return kept


def _resembles(contig: Contig, bundle: LoadedBundle, aligner: Any) -> bool:
    sequence = bundle.panel_aligner.seq(contig.name)
    return any(any(hits(piece, aligner)) for _, piece in windows(sequence))


def _write_host(
    bundle: LoadedBundle, draft: Path, panel: Sequence[Contig], progress: Progress
) -> list[Contig]:
    """The stretches of the host that could be taken for the panel, written to `host.fa`."""
    aligner = panel_aligner(draft / "panel.fa", bundle.manifest)
    chromosomes = [c for c in bundle.manifest.contigs if c.role is ContigRole.HOST]
    kept = []
    with (draft / "host.fa").open("wb") as out:
        for chromosome in chromosomes:
            sequence = bundle.host_aligner.seq(chromosome.name)
            for start, end in _stretches(sequence, aligner):
                piece = _piece(chromosome, start, end)
                write_contig(out, piece, sequence[start:end].encode())
                kept.append(piece)
            progress(chromosome.length)
        if not kept:
            kept = [_a_little(chromosomes[0], bundle, out)]
    return kept


def _a_little(chromosome: Contig, bundle: LoadedBundle, out: BinaryIO) -> Contig:
    """Of a host that resembles nothing: an index has to hold something."""
    piece = _piece(chromosome, 0, min(WINDOW, chromosome.length))
    write_contig(out, piece, bundle.host_aligner.seq(chromosome.name)[: piece.length].encode())
    return piece


def _piece(chromosome: Contig, start: int, end: int) -> Contig:
    """A stretch of the host, as a sequence of its own. Nothing is measured on it: that takes the
    whole host."""
    changes = {"name": f"{chromosome.name}:{start}-{end}", "length": end - start}
    return chromosome.model_copy(
        update={**changes, "single_copy": (), "features": {}, "circular": False}
    )


def _stretches(sequence: str, aligner: Any) -> Iterator[tuple[int, int]]:
    """Where windows of the host hit, with what is beside them."""
    found = (start for start, piece in windows(sequence) if any(hits(piece, aligner)))
    wide = ((max(0, at - BESIDE), min(len(sequence), at + WINDOW + BESIDE)) for at in found)
    yield from merge(wide)


def _write(path: Path, contigs: Sequence[Contig], sequence: Callable[[str], str]) -> None:
    with path.open("wb") as out:
        for contig in contigs:
            write_contig(out, contig, sequence(contig.name).encode())
