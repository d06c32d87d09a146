"""Adapters, primers, barcodes and poly-A are no distance; reads are split where kits join them."""

from __future__ import annotations

import random
from pathlib import Path

import dnaio
import pytest

from porewatch.domain.calls.findings import Call, Finding
from porewatch.domain.reasons.reason import Code
from porewatch.domain.runs import Sample
from porewatch_worker.references.load import LoadedBundle
from porewatch_worker.science.read.barcodes import kit_barcodes
from porewatch_worker.science.read.kit_ends import KitEnds
from porewatch_worker.science.read.kits import kit_sequences
from porewatch_worker.science.read.placement import Segment
from porewatch_worker.science.read.split_at_adapters import split
from porewatch_worker.science.reads import Read
from porewatch_worker.validation.screened import answer
from validation.made_reads import erred, reads_of, reverse, write_fastq
from validation.screens import diverged, random_sequence
from validation.shared_data import real

pytestmark = pytest.mark.xdist_group("real-bundle")
KIT = {k.name: k.sequence for k in kit_sequences()}
FORWARD, REVERSE = KIT["pcr_primer_forward"], KIT["pcr_primer_reverse"]
BARCODE = kit_barcodes()["barcode07"]
ENDS = KitEnds()


def segment(start: int, end: int) -> Segment:
    return Segment("x", 1, 0, end - start, start, end, end - start, end - start, 60, end - start)


def test_every_sequence_has_kits_and_a_source() -> None:
    assert all(k.kits and k.source and set(k.sequence) <= set("ACGT") for k in kit_sequences())
    assert {k.name for k in kit_sequences() if k.joint} >= {
        "ligation_adapter_core", "rapid_adapter", "pcr_primer_forward", "pcr_primer_reverse"
    }  # fmt: skip


@pytest.mark.parametrize("file", ["ecoli_MG1655.fa.gz", "saureus_USA300.fa.gz", "lambda.fa.gz"])
def test_no_joint_stands_in_a_genome(file: str) -> None:
    with dnaio.open(real(f"genomes/{file}")) as records:
        genomes = [r.sequence.upper() for r in records]
    for joint in (k.sequence for k in kit_sequences() if k.joint):
        assert not any(joint[:16] in g or reverse(joint)[:16] in g for g in genomes)


@pytest.mark.parametrize(
    "front",
    [
        KIT["ligation_adapter_top"] + "ATTGCTAAGGTTAA" + BARCODE + "CAGCACCT",
        "GCTTGGGTGTTTAACC" + BARCODE + KIT["rapid_adapter"],
        FORWARD,
        REVERSE + "T" * 60,
        KIT["cdna_strand_switching_primer"],
        KIT["cdna_rt_adapter"] + "T" * 25,
        "A" * 80,
    ],
)
def test_what_a_kit_put_at_an_end_is_seen_on_either_strand(front: str) -> None:
    insert = random_sequence(400, 3)
    read = front + insert
    there = segment(len(front), len(read))
    assert ENDS.bases([(read, [there])]) == [len(front)]
    turned = reverse(read)
    assert ENDS.bases([(turned, [segment(0, 400)]), (read, [there])]) == [len(front)] * 2


def test_sequence_of_no_kit_stays_a_distance() -> None:
    dice = random.Random(5)
    reads = [random_sequence(100, dice.randrange(1 << 30)) + "ACGT" * 20 for _ in range(300)]
    stray = sum(ENDS.bases([(read, [segment(100, 180)]) for read in reads]))
    assert stray <= 300  # of 30,000 bases


def parts(sequence: str) -> list[str]:
    (found,) = split([Read("r", sequence, b"5" * len(sequence))])
    return [p.sequence for p in found]


@pytest.mark.parametrize(
    "joint",
    [
        reverse(FORWARD) + FORWARD,
        reverse(REVERSE) + REVERSE,
        reverse(FORWARD) + reverse(BARCODE) + BARCODE + REVERSE,
        KIT["rapid_adapter"],
        KIT["ligation_adapter_core"],
    ],
)
def test_reads_are_split_at_joints_of_every_kit(joint: str) -> None:
    one, other = random_sequence(700, 1), random_sequence(900, 2)
    assert parts(one + joint + other) == [one, other]
    assert len(parts(one + erred(joint, 3, 0.04) + other)) == 2


def findings(bundle: LoadedBundle, folder: Path, reads: list[str]) -> dict[str, Finding]:
    path = write_fastq(folder / "a.fastq", reads)
    result = answer(bundle, (Sample(name="one"),), [path], folder)
    return {f.code: f for f in result.findings}


def strain(bundle: LoadedBundle) -> str:
    name = next(c.name for c in bundle.contigs.values() if c.target == "RABV")
    return diverged(bundle.panel_aligner.seq(name), 0.15, 9)


@pytest.mark.parametrize("kit", ["trimmed", "barcodes left on", "cDNA with poly-A"])
def test_a_strain_is_found_alike_with_and_without_what_the_kit_added(
    real_bundle: LoadedBundle, tmp_path: Path, kit: str
) -> None:
    dice = random.Random(11)
    added = {
        "trimmed": ("", ""),
        "barcodes left on": (
            KIT["ligation_adapter_top"] + "ATTGCTAAGGTTAA" + BARCODE + "CAGCACCT",
            "AGGTGCTG" + reverse(BARCODE) + "TTAACCTTAGCAATACGTAACTGAACGAAGTACAGG",
        ),
        "cDNA with poly-A": (KIT["cdna_strand_switching_primer"], "A" * 90 + reverse(REVERSE)),
    }
    front, rear = added[kit]
    inserts = reads_of(strain(real_bundle), 20, 320, 4, 1e-9)
    reads = [erred(front + i + rear, dice.randrange(1 << 30), 0.03) for i in inserts]
    found = findings(real_bundle, tmp_path, reads)["RABV"]
    assert found.call is Call.DETECTED, found.rule


def test_pieces_of_joined_molecules_alone_are_no_detection(
    real_bundle: LoadedBundle, tmp_path: Path
) -> None:
    name = next(c.name for c in real_bundle.contigs.values() if c.target == "CSFV")
    genome = real_bundle.panel_aligner.seq(name)
    pieces = reads_of(genome, 6, 500, 5, 0.02)
    reads = [random_sequence(900, 1000 + n) + piece for n, piece in enumerate(pieces)]
    found = findings(real_bundle, tmp_path, reads)["CSFV"]
    assert found.call is Call.INDETERMINATE
    assert found.has(Code.JOINED_ONLY)
    assert "only in joined molecules" in found.rule
    alone = findings(real_bundle, tmp_path, [*reads, *reads_of(genome, 3, 500, 6, 0.02)])["CSFV"]
    assert alone.call is Call.DETECTED
