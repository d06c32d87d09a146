"""Real nanopore reads against real genomes: the right answer for each file."""

from __future__ import annotations

import functools
import random
from collections.abc import Callable
from pathlib import Path

import pytest

from porewatch.domain.calls.evidence import ScreenResult
from porewatch.domain.calls.findings import Call, Finding, Outcome, Quantification
from porewatch.domain.calls.references import ContigRole
from porewatch.domain.runs import Sample
from porewatch.domain.stage.screening_parameters import ScreeningParameters
from porewatch_worker.phases.quantification import quantify
from porewatch_worker.references.load import LoadedBundle
from validation import made_reads as made
from validation.screens import fasta_sequence, screen, screening
from validation.shared_data import real

LAMBDA = "qcat_nobarcode_1k.fastq.gz"
SPIKED = Sample(name="one", spike_copies=1e5, volume_ml=10)


Answers = Callable[[str], tuple[ScreenResult, Quantification]]


@pytest.fixture(scope="session")
def answers(real_bundle: LoadedBundle, tmp_path_factory: pytest.TempPathFactory) -> Answers:
    """Screen and findings of a real file, computed once. Spike-in copies are stated for the one
    file that holds a spike-in."""

    @functools.cache
    def answer(file: str) -> tuple[ScreenResult, Quantification]:
        sample = SPIKED if file == LAMBDA else Sample(name="one")
        work = screening(real_bundle, real(f"reads/{file}"), samples=(sample,))
        result = screen(work, tmp_path_factory.mktemp("scratch"))
        account = result.samples[0].account
        assert account.balanced
        assert account.total == result.samples[0].quality.reads
        panel, manifest = real_bundle.panel, real_bundle.manifest
        return result, quantify(result, (sample,), panel, manifest, ScreeningParameters())

    return answer


def called(quantified: Quantification, call: Call) -> dict[str, Finding]:
    return {f.code: f for f in quantified.findings if f.call is call}


def test_sars_cov_2_amplicons_give_sars_cov_2_and_nothing_else(answers: Answers) -> None:
    result, quantified = answers("sars_cov_2_ont_2020_bc07.fastq.gz")
    assert set(called(quantified, Call.DETECTED)) == {"X-SARS-CoV-2"}
    assert not called(quantified, Call.INDETERMINATE)
    assert result.samples[0].account.panel > 1600
    evidence = called(quantified, Call.DETECTED)["X-SARS-CoV-2"].evidence
    assert evidence is not None
    assert evidence.breadth > 0.9
    assert evidence.identity == pytest.approx(0.912, abs=0.01)  # as measured for this file


def test_two_amplicons_only_are_a_pile_up_and_not_a_detection(answers: Answers) -> None:
    _, quantified = answers("sars_cov_2_MT007544.fastq.gz")
    assert not called(quantified, Call.DETECTED)
    assert "pile up" in called(quantified, Call.INDETERMINATE)["X-SARS-CoV-2"].rule


def test_lambda_reads_are_the_spike_in_and_no_pathogen(answers: Answers) -> None:
    result, quantified = answers(LAMBDA)
    assert not called(quantified, Call.DETECTED)
    assert result.samples[0].account.spike >= 975
    spikes = {t.target for t in result.samples[0].targets if t.role is ContigRole.SPIKE}
    assert spikes == {"lambda"}
    assert quantified.spike_recovery["one"].method == "spike-in lambda"
    assert quantified.outcomes[0].outcome is Outcome.REPORTABLE_WITH_REMARKS


def test_what_was_not_found_has_a_limit_of_detection_from_the_spike_in(answers: Answers) -> None:
    _, quantified = answers(LAMBDA)
    missing = called(quantified, Call.NOT_DETECTED)
    short, long = missing["CSFV"].lod95, missing["ASFV"].lod95
    assert short is not None and long is not None
    assert short.unit == long.unit == "copies/mL"
    assert short.value is not None and long.value is not None
    assert short.value / long.value == pytest.approx(190590 / 12301, rel=0.02)
    assert short.low is not None and short.high is not None
    assert short.low < short.value < short.high


def test_a_bam_of_e_coli_gives_e_coli(answers: Answers) -> None:
    result, quantified = answers("ecoli400.bam")
    # A mock community: the molecules ligated to those of E. coli are S. aureus, in five reads
    # and more. Uncut they were hidden in reads that are mostly E. coli.
    assert set(called(quantified, Call.DETECTED)) == {"EC", "STAPH"}
    account, quality = result.samples[0].account, result.samples[0].quality
    assert quality.reads - account.split == 355
    assert account.split >= 10
    staph = called(quantified, Call.DETECTED)["STAPH"].evidence
    assert staph is not None
    assert staph.reads <= 8
    assert not called(quantified, Call.INDETERMINATE)


def test_r10_reads_without_a_pathogen_give_nothing(answers: Answers) -> None:
    result, quantified = answers("r10_hac_v5.fastq.gz")
    assert set(called(quantified, Call.DETECTED)) == set()
    assert set(called(quantified, Call.INDETERMINATE)) == set()
    assert result.samples[0].account.unassigned == 21


def test_the_ultra_long_reads_are_e_coli_and_no_virus(answers: Answers) -> None:
    # They were taken for a negative control; four fifths of the genome of E. coli show otherwise.
    _, quantified = answers("nanotest_ultralong.fastq.gz")
    assert set(called(quantified, Call.DETECTED)) == {"EC"}
    assert not called(quantified, Call.INDETERMINATE)
    evidence = called(quantified, Call.DETECTED)["EC"].evidence
    assert evidence is not None
    assert evidence.breadth == pytest.approx(evidence.expected_breadth, rel=0.05)


def test_every_row_of_the_list_has_an_answer_with_a_rule(
    answers: Answers, real_bundle: LoadedBundle
) -> None:
    _, quantified = answers("r10_hac_v5.fastq.gz")
    codes = [f.code for f in quantified.findings]
    assert codes[: len(real_bundle.panel.entries)] == [e.code for e in real_bundle.panel.entries]
    assert all(f.rule for f in quantified.findings)
    screened = {f.code for f in quantified.findings if f.call is not Call.NOT_SCREENED}
    assert {"ASFV", "PCV2", "PCV", "SIV"} <= screened
    assert not {"FMDV", "FUNGI", "PERV-A", "PERV"} & screened


def test_absence_of_an_rna_virus_in_a_dna_sample_carries_a_warning(answers: Answers) -> None:
    _, quantified = answers("r10_hac_v5.fastq.gz")
    by_code = {f.code: f for f in quantified.findings}
    assert "cDNA" in by_code["CSFV"].remark
    assert "cDNA" not in by_code["ASFV"].remark


ALL_FILES = {
    "sars_cov_2_ont_2020_bc07.fastq.gz": {"X-SARS-CoV-2"},
    "sars_cov_2_MT007544.fastq.gz": set(),
    LAMBDA: set(),
    "r10_hac_v5.fastq.gz": set(),
    "nanotest_ultralong.fastq.gz": {"EC"},
    "ecoli400.bam": {"EC", "STAPH"},
}
PORCINE = {"ASFV", "CSFV", "JEV", "PCV2", "PCV3", "PPV", "SIV", "HEV", "X-PERV-E"}


@pytest.mark.parametrize("file", ALL_FILES)
def test_every_real_file_has_its_main_finding_and_nothing_porcine(
    answers: Answers, file: str
) -> None:
    result, quantified = answers(file)
    assert set(called(quantified, Call.DETECTED)) == ALL_FILES[file]
    assert not set(called(quantified, Call.INDETERMINATE)) & PORCINE
    screened = result.samples[0]
    assert screened.unknowns is not None
    assert screened.unknowns.reads == screened.account.unassigned
    assert screened.unknowns.leads == ()


@pytest.mark.parametrize("virus", ["vzv", "measles", "mumps", "ebola_zaire"])
def test_reads_of_a_human_virus_yield_no_porcine_call(
    real_bundle: LoadedBundle, tmp_path: Path, virus: str
) -> None:
    genome = fasta_sequence(real(f"genomes/{virus}.fa"))
    found = _called_on(real_bundle, tmp_path, made.reads_of(genome, 60, 1500, 1, 0.08))
    assert len(found) == 1
    assert next(iter(found)).startswith("X-")


def test_a_plant_virus_yields_nothing_at_all(real_bundle: LoadedBundle, tmp_path: Path) -> None:
    # No plant virus is at hand: made of the codons that real viruses use, shuffled, so that
    # composition and repeats are those of a virus and the order is nobody's.
    genome = fasta_sequence(real("genomes/wnv1.fa"))
    codons = [genome[i : i + 3] for i in range(0, len(genome) - 2, 3)]
    random.Random(4).shuffle(codons)
    assert not _called_on(real_bundle, tmp_path, made.reads_of("".join(codons), 80, 1500, 1, 0.08))


def _called_on(bundle: LoadedBundle, folder: Path, reads: list[str]) -> set[str]:
    """Codes that are detected or indeterminate."""
    work = screening(bundle, made.write_fastq(folder / "a.fastq", reads))
    sample = (Sample(name="one"),)
    result = quantify(
        screen(work, folder), sample, bundle.panel, bundle.manifest, ScreeningParameters()
    )
    return {*called(result, Call.DETECTED), *called(result, Call.INDETERMINATE)}
