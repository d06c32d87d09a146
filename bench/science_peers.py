"""The peers of `make bench-science`: references made ready once, then reads -> hits by target.

Each answers (hits by panel target, how many make a call). kraken2's taxonomy is a star: one taxon
for each target below the root, the host included.
"""

from __future__ import annotations

import shutil
import subprocess
from collections import Counter
from collections.abc import Callable, Iterable
from pathlib import Path

import dnaio
import sourmash

from porewatch.domain.calls.references import ContigRole
from porewatch_worker.validation.worlds import World

Reads = list[tuple[str, str]]
Classifier = Callable[[Path, Reads], tuple[Counter[str], int]]

FIRST = 100
LEAST_READS, LEAST_HASHES = 3, 2
K, SCALED = 21, 50


def prepared(world: World, folder: Path) -> list[str]:
    """Make references for the tools that are here; returns their names."""
    folder.mkdir(parents=True)
    names = {c.name: c.target for c in world.bundle.contigs.values()}
    targets = sorted({c.target for c in world.bundle.contigs.values() if c.role in ROLES})
    (folder / "targets.txt").write_text("\n".join(targets))
    (folder / "names.txt").write_text("\n".join(f"{n}\t{t}" for n, t in names.items()))
    with (folder / "all.fa").open("w") as out:
        for file in ("panel.fa", "host.fa"):
            with dnaio.open(world.bundle.folder / file) as records:
                for r in records:
                    name = r.name.split()[0]
                    taxon = FIRST + (targets.index(t) if (t := names[name]) in targets else -1)
                    out.write(f">{name}|kraken:taxid|{taxon}\n{r.sequence}\n")
    there = [tool for tool in ("kraken2", "minimap2") if shutil.which(tool)]
    if "kraken2" in there:
        _kraken_database(folder, targets)
    return [*there, "sourmash"]


ROLES = (ContigRole.PANEL,)


def _kraken_database(folder: Path, targets: list[str]) -> None:
    taxonomy = folder / "kraken/taxonomy"
    taxonomy.mkdir(parents=True)
    taxa = {1: "root", FIRST - 1: "host"} | {FIRST + i: t for i, t in enumerate(targets)}
    rank = {1: "no rank"}
    (taxonomy / "nodes.dmp").write_text(
        "".join(f"{n}\t|\t1\t|\t{rank.get(n, 'species')}\t|\t-\t|\n" for n in taxa)
    )
    (taxonomy / "names.dmp").write_text(
        "".join(f"{n}\t|\t{t}\t|\t\t|\tscientific name\t|\n" for n, t in taxa.items())
    )
    database, build = str(folder / "kraken"), ["kraken2-build", "--no-masking", "--db"]
    for step in (["--add-to-library", str(folder / "all.fa")], ["--build", "--threads", "1"]):
        subprocess.run([*build, database, *step], check=True, capture_output=True)


def by_kraken(folder: Path, reads: Reads) -> tuple[Counter[str], int]:
    """Reads whose taxon is a panel target."""
    targets = (folder / "targets.txt").read_text().split("\n")
    output = _run(
        ["kraken2", "--db", str(folder / "kraken"), "--report", "/dev/null"], folder, reads
    )
    hits: Counter[str] = Counter()
    for row in output.splitlines():
        taxon = int(row.split("\t")[2])
        if taxon >= FIRST:
            hits[targets[taxon - FIRST]] += 1
    return hits, LEAST_READS


def by_minimap(folder: Path, reads: Reads) -> tuple[Counter[str], int]:
    """Reads whose primary hit lies on a panel target."""
    targets = (folder / "targets.txt").read_text().split("\n")
    command = ["minimap2", "-x", "map-ont", "--secondary=no", str(folder / "all.fa")]
    best: dict[str, tuple[int, str]] = {}
    for row in _run(command, folder, reads).splitlines():
        cells = row.split("\t")
        found = (int(cells[9]), cells[5])
        best[cells[0]] = max(best.get(cells[0], (0, "")), found)
    taxa = (int(contig.rsplit("|", 1)[1]) - FIRST for _, contig in best.values())
    return Counter(targets[t] for t in taxa if t >= 0), LEAST_READS


def _run(command: list[str], folder: Path, reads: Reads) -> str:
    query = folder / "query.fa"
    query.write_text("".join(f">{n}\n{s}\n" for n, s in reads))
    return subprocess.run([*command, str(query)], check=True, capture_output=True, text=True).stdout


_sketches: dict[Path, dict[str, set[int]]] = {}


def by_sourmash(folder: Path, reads: Reads) -> tuple[Counter[str], int]:
    """Gather: the target with most hashes takes them, until nothing is left."""
    if folder not in _sketches:
        _sketches[folder] = _references(folder)
    left = _hashes(s for _, s in reads)
    hits: Counter[str] = Counter()
    while True:
        target, own = max(_sketches[folder].items(), key=lambda item: len(item[1] & left))
        common = own & left
        if not common:
            hits.pop("host", None)
            return hits, LEAST_HASHES
        hits[target] += len(common)
        left -= common


def _references(folder: Path) -> dict[str, set[int]]:
    names = dict(line.split("\t") for line in (folder / "names.txt").read_text().split("\n"))
    sketches: dict[str, set[int]] = {}
    with dnaio.open(folder / "all.fa") as records:
        for record in records:
            target = names[record.name.split("|")[0]]
            sketches.setdefault(target, set()).update(_hashes([record.sequence]))
    return sketches


def _hashes(sequences: Iterable[str]) -> set[int]:
    sketch = sourmash.MinHash(n=0, ksize=K, scaled=SCALED)
    for sequence in sequences:
        sketch.add_sequence(sequence, force=True)
    return set(sketch.hashes)


PEERS: dict[str, Classifier] = {
    "kraken2": by_kraken,
    "minimap2": by_minimap,
    "sourmash": by_sourmash,
}
