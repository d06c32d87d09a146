"""What the host may keep, and what is reported of reads that fit nothing."""

from __future__ import annotations

import random
import subprocess
import sys
from pathlib import Path

import pytest
import sourmash

from porewatch.domain.calls.references import (
    Contig,
    ContigRole,
)
from porewatch.domain.runs import Sample
from porewatch_worker.references.building.build import build_bundle
from porewatch_worker.references.load import LoadedBundle, load
from porewatch_worker.science.count import minhash as sketch
from porewatch_worker.science.count.unassigned import (
    FOLDER,
    MOST_KMERS,
    Sketches,
    UnknownCounts,
)
from porewatch_worker.science.read.assign_read import rrna_intervals
from validation import made_reads as made
from validation.screens import diverged, random_sequence, screen, screening

UNLISTED = random_sequence(6_000, 41)
RRNA = random_sequence(1_800, 42)


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> LoadedBundle:
    """Two viruses (one resembles the host's provirus), a host with that provirus and rRNA."""
    root = tmp_path_factory.mktemp("hosted")
    folder = root / "fasta"
    folder.mkdir()
    genomes = {"virus": made.CSFV, "endogenous": made.PERV_A, "host": made.HOST, "rrna": RRNA}
    for name, sequence in genomes.items():
        title = "host 28S ribosomal RNA" if name == "rrna" else name
        (folder / f"{name}.fa").write_text(f">{name} {title}\n{sequence}\n")
    sheet = "file\trole\ttarget\tdescription\nvirus.fa\tpanel\tCSFV\tSYNTHETIC\n"
    sheet += "endogenous.fa\tpanel\tX-ERV\tSYNTHETIC\nhost.fa\thost\thost\tSYNTHETIC\n"
    sheet += "rrna.fa\thost\thost\tSYNTHETIC 28S ribosomal RNA\n"
    (root / "sheet.tsv").write_text(sheet)
    build_bundle(folder, root, "hosted", "1", sheet=root / "sheet.tsv", synthetic=True)
    return load(root, "hosted@1")


def of(bundle: LoadedBundle, folder: Path, reads: list[str], **given: object):  # type: ignore[no-untyped-def]
    path = made.write_fastq(folder / "a.fastq", reads)
    return screen(screening(bundle, path, **given), folder).samples[0]  # type: ignore[arg-type]


def test_host_reads_are_reported_with_their_identity_and_ribosomal_rna_apart(
    bundle: LoadedBundle, tmp_path: Path
) -> None:
    reads = made.reads_of(made.HOST[:140_000], 20, 1200, 1, 0.04) + made.reads_of(RRNA, 10, 900, 2)
    rna = (Sample(name="one", material="rna"),)
    host = of(bundle, tmp_path, reads, samples=rna).host
    assert (host.reads, host.rrna_reads) == (30, 10)
    assert host.rrna_bases == sum(len(r) for r in reads[20:])
    assert host.identity == pytest.approx(0.955, abs=0.01)
    assert sum(host.identities.values()) == 30


def test_ribosomal_rna_is_known_by_feature_or_by_title() -> None:
    def contig(name: str, **given: object) -> Contig:
        plain = {"name": name, "role": ContigRole.HOST, "target": "host", "length": 900, **given}
        return Contig.model_validate(plain)

    contigs = [contig("a", features={"rRNA-18S": (10, 90)}), contig("chr1"),
               contig("b", description="Sus scrofa 28S ribosomal RNA")]  # fmt: skip
    panel = contig("16S rRNA").model_copy(update={"role": ContigRole.PANEL})
    assert rrna_intervals([*contigs, panel]) == {"a": ((10, 90),), "b": ((0, 900),)}


def test_what_is_mostly_foreign_is_not_given_to_the_host_for_its_first_bases(
    bundle: LoadedBundle, tmp_path: Path
) -> None:
    flank = made.HOST[30_000:30_400]
    reads = [made.erred(flank + UNLISTED[a : a + 2500], a) for a in (0, 900, 1800, 2700)]
    sample = of(bundle, tmp_path, reads)
    assert (sample.account.host, sample.account.unassigned) == (0, 4)
    assert (sample.host.tested_in_full, sample.host.let_go) == (4, 4)


def test_a_host_read_with_a_bad_beginning_is_still_host(
    bundle: LoadedBundle, tmp_path: Path
) -> None:
    reads = [random_sequence(700, i) + made.HOST[40_000:44_000] for i in range(4)]
    sample = of(bundle, tmp_path, reads)
    assert sample.account.host == 4
    assert (sample.host.tested_in_full, sample.host.let_go) == (4, 0)


def test_no_pathogen_read_is_lost_for_resembling_host_or_lying_in_it(
    bundle: LoadedBundle, tmp_path: Path
) -> None:
    resembling = made.reads_of(made.PERV_A, 40, 1500, 1, 0.04)  # the host's copy is 4 % away
    flanks = [
        made.erred(made.HOST[at : at + 1500] + made.CSFV[at // 10 : at // 10 + 500], at, 0.04)
        for at in range(10_000, 50_000, 2_000)
    ]
    inside = made.CSFV[2000:3000]
    integrated = [
        made.erred(made.HOST[at : at + 600] + inside + made.HOST[at + 600 : at + 1200], at)
        for at in range(60_000, 80_000, 1_000)
    ]
    sample = of(bundle, tmp_path, [*resembling, *flanks, *integrated])
    reads = {t.target: t.evidence for t in sample.targets}
    assert reads["CSFV"].reads == 40
    assert reads["CSFV"].reads_with_host_flank == 40
    assert reads["X-ERV"].reads >= 39


def test_hashes_are_those_of_sourmash() -> None:
    text = random_sequence(60_000, 7) + "NNN" + random_sequence(500, 8).lower()
    theirs = sourmash.MinHash(n=0, ksize=sketch.K, scaled=sketch.ONE_IN)
    theirs.add_sequence(text.upper(), force=True)
    ours, _ = sketch.sampled(text.encode())
    assert set(ours.tolist()) == set(theirs.hashes)
    assert len(theirs.hashes) > 500


def test_short_reads_and_other_letters_have_no_words() -> None:
    for text in ("", "ACGT", "N" * 50):
        assert sketch.sampled(text.encode())[0].size == 0


def test_unknown_reads_are_summarised_and_what_recurs_is_reported(
    bundle: LoadedBundle, tmp_path: Path
) -> None:
    reads = made.reads_of(UNLISTED, 120, 900, 1, 0.03)
    unknowns = of(bundle, tmp_path, [*reads, *made.reads_of(made.HOST, 20, 900, 2)]).unknowns
    assert unknowns.reads == 120
    assert unknowns.share_of_passed == pytest.approx(120 / 140, abs=1e-6)
    assert unknowns.complex_share == 1
    assert unknowns.gc_fraction == pytest.approx(0.5, abs=0.03)
    assert unknowns.recurring_bases == pytest.approx(6000, rel=0.5)
    assert unknowns.leads == unknowns.searched == ()


def test_what_does_not_recur_is_not_reported_as_recurring(
    bundle: LoadedBundle, tmp_path: Path
) -> None:
    unknowns = of(bundle, tmp_path, [random_sequence(900, 100 + i) for i in range(60)]).unknowns
    assert unknowns.recurring_words == 0
    assert unknowns.recurring_depth is None


def test_sketches_of_other_genomes_give_leads_and_never_calls(
    bundle: LoadedBundle, tmp_path: Path
) -> None:
    folder = bundle.folder.parent.parent / FOLDER
    folder.mkdir()
    genomes = {"an unlisted virus": UNLISTED, "its cousin": diverged(UNLISTED, 0.03, 3),
               "something else": random_sequence(9_000, 50)}  # fmt: skip
    signatures = []
    for name, sequence in genomes.items():
        minhash = sourmash.MinHash(n=0, ksize=21, scaled=100)
        minhash.add_sequence(sequence)
        signatures.append(sourmash.SourmashSignature(minhash, name=name))
    with (folder / "broader.sig").open("w") as out:
        sourmash.save_signatures(signatures, out)
    try:
        sample = of(bundle, tmp_path, made.reads_of(UNLISTED, 60, 900, 1, 0.03))
    finally:
        (folder / "broader.sig").unlink()
        folder.rmdir()
    assert [lead.name for lead in sample.unknowns.leads] == ["an unlisted virus", "its cousin"]
    assert sample.unknowns.leads[0].containment > 0.8
    assert sample.unknowns.searched == ("broader.sig",)
    assert sample.targets == ()


def test_parts_add_up_to_the_same_words_in_any_order_even_when_there_are_too_many() -> None:
    reads = [random_sequence(1000, i) for i in range(700)] + made.reads_of(UNLISTED, 50, 900, 1)
    dice, answers = random.Random(3), set()
    for size in (1000, 250, 90):
        dice.shuffle(reads)
        total = UnknownCounts()
        for i in range(0, len(reads), size):
            part = UnknownCounts()
            part.take(reads[i : i + size])
            total.add(part)
        answers.add(total.summary(len(reads), None).digest())
        assert len(total.words) == MOST_KMERS
    assert len(answers) == 1


def test_no_folder_of_sketches_is_no_search(tmp_path: Path) -> None:
    assert Sketches(tmp_path / "none").names == ()


def test_sourmash_is_not_even_imported_where_there_are_no_sketches(tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path;"
        "from porewatch_worker.science.count.unassigned import Sketches;"
        f"print(Sketches(Path({str(tmp_path)!r})).leads({{1: 3}}, 9), 'sourmash' in sys.modules)"
    )
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert result.stdout.split() == ["()", "False"]
