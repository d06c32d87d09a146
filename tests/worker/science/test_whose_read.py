"""Whose read it is: barcodes at the ends, adapters inside, duplex reads and their strands."""

from __future__ import annotations

import random
from collections import Counter
from itertools import combinations
from pathlib import Path

import edlib
import pytest

from porewatch.domain.calls.evidence import ScreenResult
from porewatch.domain.runs import InputFile, ReadKind, Sample
from porewatch_worker.references.load import LoadedBundle
from porewatch_worker.science.read.barcodes import (
    CONFLICT,
    SURER,
    BarcodeReader,
    kit_barcodes,
)
from porewatch_worker.science.read.split_at_adapters import (
    JOINTS,
    split,
)
from porewatch_worker.science.reads import Read, read_units
from porewatch_worker.science.sequence.kmers import coded
from validation import made_reads as made
from validation.screens import random_sequence, screen, screening
from validation.shared_data import real

KIT = kit_barcodes()
TWO = (Sample(name="one", barcode="barcode01"), Sample(name="two", barcode="barcode02"))
START = "AATGTACTTCGTTCAGTTACGTATTGCTAAGGTTAA"
FLANK = "CAGCACCT"

ADAPTER, REVERSE = JOINTS[:2]


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> LoadedBundle:
    return made.made_bundle(tmp_path_factory.mktemp("made"))


def ligated(insert: str, barcode: str, rear: str | None = None) -> str:
    """A native-barcoded molecule as it is read."""
    end = made.reverse(FLANK) + made.reverse(KIT[rear or barcode])
    return START + KIT[barcode] + FLANK + insert + end + "TTAACCTTAGCAATACGTAACTGAACG"


def screened(bundle: LoadedBundle, folder: Path, reads: list[str], **given: object) -> ScreenResult:
    path = made.write_fastq(folder / "a.fastq", reads)
    return screen(screening(bundle, path, **given), folder)  # type: ignore[arg-type]


def test_the_96_barcodes_are_distinguished_in_either_strand() -> None:
    assert len(KIT) == len(set(KIT.values())) == 96
    for one, other in combinations(KIT.values(), 2):
        for strand in (other, made.reverse(other)):
            assert edlib.align(one, strand, mode="NW")["editDistance"] > 2 * SURER


@pytest.mark.parametrize(("error", "least"), [(0.02, 98), (0.05, 90), (0.10, 70)])
def test_barcodes_are_read_through_errors_and_never_mistaken(error: float, least: int) -> None:
    reader, dice = BarcodeReader(KIT), random.Random(5)
    calls = []
    for i in range(100):
        name = dice.choice(sorted(KIT))
        read = made.erred(START + KIT[name] + FLANK + random_sequence(600, i), i, error)
        calls.append((name, reader.call([read])[0].barcode))
    assert {called for name, called in calls if called != name} <= {None}
    assert sum(name == called for name, called in calls) >= least


def test_random_reads_bear_no_barcode_of_a_run() -> None:
    reader = BarcodeReader(dict(list(KIT.items())[:24]))
    calls = reader.call([random_sequence(400, i) for i in range(1500)])
    assert not [t for t in calls if t.barcode and t.edits <= 3]


def test_two_ends_with_two_barcodes_are_a_conflict_and_the_insert_lies_between() -> None:
    reader, insert = BarcodeReader(KIT), random_sequence(500, 1)
    read = ligated(insert, "barcode01")
    [call] = reader.call([read])
    assert call.barcode == "barcode01"
    assert read[call.start : call.end] == FLANK + insert + made.reverse(FLANK)
    [call] = reader.call([ligated(insert, "barcode01", "barcode02")])
    assert call.barcode == CONFLICT


def test_real_reads_of_a_barcoded_run_bear_its_barcode_and_others_none() -> None:
    reader = BarcodeReader(KIT)
    files = {"sars_cov_2_ont_2020_bc07": True, "qcat_nobarcode_1k": False}
    for file, barcoded in files.items():
        path = real(f"reads/{file}.fastq.gz")
        given = (InputFile(path=f"fastq/{path.name}", kind=ReadKind.FASTQ, size=1),)
        [(_, unit)] = read_units(given, lambda _, path=path: path, 5000, frozenset())  # type: ignore[misc]
        counts = Counter(t.barcode for t in reader.call([r.sequence for r in unit.parts[0].reads]))
        strays = sum(n for name, n in counts.items() if name not in ("barcode07", CONFLICT, None))
        assert (counts["barcode07"] > 0.6 * unit.number_of_reads) is barcoded
        assert strays <= 0.01 * unit.number_of_reads  # crosstalk of that run, seen directly
        assert barcoded or not strays


def test_an_undemultiplexed_run_is_demultiplexed_by_its_sample_sheet(
    bundle: LoadedBundle, tmp_path: Path
) -> None:
    virus, host = made.reads_of(made.CSFV, 12, 900, 1), made.reads_of(made.HOST, 12, 900, 2)
    reads = [ligated(r, "barcode01") for r in virus] + [ligated(r, "barcode02") for r in host]
    result = screened(bundle, tmp_path, [*reads, random_sequence(900, 3)], samples=TWO)
    one, two = (s.account for s in result.samples)
    assert (one.panel, one.host, one.demultiplexed) == (12, 0, 12)
    assert (two.panel, two.demultiplexed) == (0, 12)
    assert result.unlisted_barcodes == {"none": 1}
    assert result.samples[0].quality.adapter_trimmed_reads == 0  # the barcode went with the adapter


def test_a_read_that_bears_another_samples_barcode_is_crosstalk_and_no_evidence(
    bundle: LoadedBundle, tmp_path: Path
) -> None:
    virus = made.reads_of(made.CSFV, 10, 900, 1)
    reads = [ligated(r, "barcode01" if i else "barcode02") for i, r in enumerate(virus)]
    result = screened(bundle, tmp_path, reads, samples=TWO, barcodes=("barcode01",))
    account = result.samples[0].account
    assert account.filtered == {"other_barcode": 1}
    assert account.barcodes_told == {"barcode01": 9, "barcode02": 1}
    assert account.panel == 9
    assert account.balanced


def test_an_adapter_inside_cuts_a_read_into_its_molecules() -> None:
    parts = [random_sequence(700, 1), random_sequence(500, 2), random_sequence(300, 3)]
    text = parts[0] + REVERSE + ADAPTER + parts[1] + made.erred(ADAPTER, 4, 0.05) + parts[2]
    whole = Read("r", text, bytes(33 + i % 60 for i in range(len(text))))
    [cut] = split([whole])
    assert [r.id for r in cut] == ["r.1", "r.2", "r.3"]
    assert [r.sequence[20:-20] for r in cut] == [p[20:-20] for p in parts]
    assert all(whole.qualities[text.index(r.sequence) :].startswith(r.qualities) for r in cut)


def test_reads_without_an_adapter_inside_stay_whole() -> None:
    reads = [Read(str(i), random_sequence(2000, i), b"5" * 2000) for i in range(200)]
    reads += [Read("end", ADAPTER + random_sequence(900, 1), b"5" * 924), Read("empty", "", b"")]
    assert list(split(reads)) == [[read] for read in reads]


def test_host_ligated_to_virus_is_two_molecules_and_no_integration(
    bundle: LoadedBundle, tmp_path: Path
) -> None:
    joined = made.NEW_SITE[:900] + REVERSE + ADAPTER + made.CSFV[2000:3000]
    result = screened(bundle, tmp_path, [joined] * 3)
    account = result.samples[0].account
    assert (account.total, account.split, account.host, account.panel) == (6, 3, 3, 3)
    [target] = [t for t in result.samples[0].targets if t.target == "CSFV"]
    assert target.evidence.reads_with_host_flank == 0


def test_duplex_reads_count_once_and_their_strands_not_at_all(
    bundle: LoadedBundle, tmp_path: Path
) -> None:
    virus = made.reads_of(made.CSFV, 3, 900, 1)
    text = ""
    for i, (name, dx) in enumerate((("t;c", 1), ("t", -1), ("c", -1), ("s", 0))):
        read = virus[0] if i < 3 else virus[1]
        text += f"@{name}\tdx:i:{dx}\n{read}\n+\n{'5' * len(read)}\n"
    (tmp_path / "a.fastq").write_text(text)
    result = screen(screening(bundle, tmp_path / "a.fastq"), tmp_path)
    sample = result.samples[0]
    assert sample.quality.kinds == {"duplex": 1, "duplex_parent": 2, "simplex": 1}
    assert sample.account.filtered == {"duplex_parent": 2}
    assert sample.account.panel == 2


@pytest.mark.parametrize("size", range(1, 16))
def test_kmers_are_numbered_by_their_letters_in_order(size: int) -> None:
    text = random_sequence(40, size)
    numbers = [
        sum("ACTG".index(base) << 2 * (size - 1 - i) for i, base in enumerate(text[j : j + size]))
        for j in range(len(text) - size + 1)
    ]
    assert coded(text.encode(), size).tolist() == numbers
