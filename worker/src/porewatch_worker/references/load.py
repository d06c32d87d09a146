"""Load a verified bundle for mapping: once per process, shared by all threads.

mappy releases the interpreter lock while mapping, and an `Aligner` is read-only after loading:
give every thread a `mappy.ThreadBuffer` of its own and share the aligners.

It holds the lock while it loads an index: no other thread sends heartbeats or checks for a notice
meanwhile. Hence every file is read through before, without the lock, so that loading does not
depend on the network. Measured for 100 Mb: 1.1 s of one core for a prebuilt index, 3.5 s from FASTA
(3.8 and 12 s with two cores shared by a dozen processes). So a host of 2.5 Gb, which is always
prebuilt (`build.LARGE_HOST`), blocks heartbeats for half a minute, 95 s on busy cores; with the
minute since the last heartbeat that is half of the timeout of 300 s (`beat_timeout_s`). A separate
process for heartbeats would have to be supervised itself, and gains nothing.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import mappy

from porewatch.domain.calls.panel import Panel
from porewatch.domain.calls.references import (
    BundleManifest,
    Contig,
    ContigRole,
)
from porewatch.domain.errors import BundleRefused
from porewatch_worker.references.installed import bundle_folder
from porewatch_worker.references.panel import read_panel
from porewatch_worker.references.read_off_sequences import completed
from porewatch_worker.references.verify import check_bundle, manifest_sha256

PRESET = "map-ont"
PIECE = 1 << 22
PANEL_HITS = 5
"""Secondary hits kept per read beside those of the strains of one target, so that near relatives
answer as well."""

PANEL_CHAIN, PANEL_SEEDS = 25, 2
"""Least chaining score and seeds of a panel hit (preset: 40 and 3). Reads of strains a fifth and
more away chain few seeds: with R9 errors 0.90 of them are found instead of 0.86, at the same speed
and without a false hit in 10,360 other reads. Block, identity and mask decide which hits count."""


@dataclass(frozen=True)
class LoadedBundle:
    """A bundle ready for use.

    `contigs` maps contig name -> Contig, host included; `panel_aligner` has panel, spike and decoy
    contigs (`hit.ctg` is a key of `contigs`), `host_aligner` the host's. Circular contigs are
    indexed as they are written: a read over the origin gives two hits on the same contig. `sha256`
    is the digest of `bundle.json`, the one that reports quote.
    """

    manifest: BundleManifest
    sha256: str
    folder: Path
    panel: Panel
    contigs: Mapping[str, Contig]
    panel_aligner: Any
    host_aligner: Any

    @property
    def ref(self) -> str:
        return self.manifest.ref

    @property
    def words(self) -> Path | None:
        """Sampled k-mers of the large panel genomes; None for bundles built without them."""
        return self.folder / self.manifest.words.path if self.manifest.words else None

    def targets(self, role: ContigRole) -> dict[str, tuple[Contig, ...]]:
        """target -> its contigs (strains, segments), in the order of the manifest."""
        found: dict[str, tuple[Contig, ...]] = {}
        for contig in self.manifest.contigs:
            if contig.role == role:
                found[contig.target] = (*found.get(contig.target, ()), contig)
        return found


_lock = threading.Lock()
_last: dict[tuple[Path, str], LoadedBundle] = {}


def load(root: Path, ref: str, index_threads: int = 2) -> LoadedBundle:
    """Verify (quickly when nothing changed) and load `name@version` below `root`.

    A second call gives the same object; only the latest bundle is kept, because a pig index takes
    9 GB. Raises BundleRefused when the bundle is missing, altered or cannot be indexed.
    """
    with _lock:
        manifest = check_bundle(root, ref)
        sha256 = manifest_sha256(root, ref)
        key = (root.resolve(), sha256)
        if key not in _last:
            _last.clear()
            _last[key] = _load(bundle_folder(root, ref), manifest, sha256, index_threads)
        return _last[key]


def _load(folder: Path, manifest: BundleManifest, sha256: str, threads: int) -> LoadedBundle:
    host = manifest.files.get("host_index") or manifest.files["host"]
    panel = panel_aligner(folder / manifest.files["panel"].path, manifest, threads)
    return LoadedBundle(
        manifest=manifest,
        sha256=sha256,
        folder=folder,
        panel=read_panel(folder / manifest.files["panel_list"].path),
        contigs={c.name: c for c in completed(manifest.contigs, panel.seq)},
        panel_aligner=panel,
        host_aligner=_aligner(folder / host.path, best_n=1, n_threads=threads),
    )


def panel_aligner(path: Path, manifest: BundleManifest, threads: int = 2) -> Any:
    """Of the panel's sequences, as sensitive as screening is."""
    return _aligner(
        path,
        k=manifest.panel_k,
        w=manifest.panel_w,
        best_n=PANEL_HITS + most_strains(manifest.contigs),
        min_chain_score=PANEL_CHAIN,
        min_cnt=PANEL_SEEDS,
        n_threads=threads,
    )


def most_strains(contigs: Iterable[Contig]) -> int:
    """The largest number of sequences that represent the same segment of the same target."""
    strains = Counter((c.target, c.segment) for c in contigs if c.role is not ContigRole.HOST)
    return max(strains.values(), default=0)


def read_ahead(path: Path) -> int:
    """Bring a file into the page cache, other threads running; answers its bytes."""
    piece, there = bytearray(PIECE), 0
    with path.open("rb", buffering=0) as file:
        while more := file.readinto(piece):
            there += more
    return there


def _aligner(path: Path, **settings: int) -> Any:
    read_ahead(path)
    aligner = mappy.Aligner(str(path), preset=PRESET, **settings)
    if not aligner:
        raise BundleRefused(
            "minimap2 cannot read or index it.", file=str(path), remedy="build the bundle again."
        )
    return aligner
