"""A unit that was given up, all the way to its samples in the report."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from porewatch.domain.calls.evidence import ScreenResult
from porewatch.domain.calls.findings import Call, Outcome, SampleOutcome
from porewatch.domain.errors import WorkerFailed
from porewatch.domain.reasons.reason import Code, because, verbatim
from porewatch.domain.results.report import Report
from porewatch.domain.stage.quarantine import (
    QUARANTINED,
    QuarantinedUnit,
)
from porewatch.domain.stage.screening_parameters import ScreeningParameters
from porewatch_worker.local.run import (
    LocalReport,
    screen_locally,
)
from porewatch_worker.phases.screening import ScreeningWork
from porewatch_worker.science import reads
from porewatch_worker.science.reads import Unit
from porewatch_worker.science.release.quarantined_units import _outcome
from porewatch_worker.simulate.demo import DemoSet, make_demo
from porewatch_worker.simulate.small_files import READS_PER_FILE, small_files
from porewatch_worker.stage_work import UnitOutput

SIZE = 40


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> DemoSet:
    return make_demo(tmp_path_factory.mktemp("demo"), scale=0.02)


def screen(demo: DemoSet, out: Path, size: int = SIZE) -> LocalReport:
    return screen_locally(
        [demo.run_folder],
        references_root=demo.references,
        bundle=demo.bundle,
        out=out,
        sample_sheet=demo.sample_sheet,
        parameters=ScreeningParameters(unit_reads=size),
    )


def poison(seen: list[Unit]) -> Callable[[ScreeningWork, Unit], UnitOutput]:
    """Fails on the unit that begins with read 41 of one file, which is left in `seen`."""
    process = ScreeningWork.process

    def fail(work: ScreeningWork, payload: Unit) -> UnitOutput:
        if (part := payload.parts[0]).first == SIZE + 1 and (
            not seen or seen[0].parts[0].file == part.file
        ):
            seen.append(payload)
            raise FloatingPointError("a signal nobody has seen before")
        return process(work, payload)

    return fail


@pytest.fixture(scope="module")
def poisoned(
    demo: DemoSet, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Report, ScreenResult, LocalReport, Unit]:
    out = tmp_path_factory.mktemp("out")
    seen: list[Unit] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ScreeningWork, "process", poison(seen))
        for _ in range(2):
            with pytest.raises(FloatingPointError):
                screen(demo, out)
        done = screen(demo, out)
    report = Report.model_validate_json(done.report_json.read_bytes())
    result = ScreenResult.model_validate_json(done.screen.read_bytes())
    return report, result, done, seen[0]


Poisoned = tuple[Report, ScreenResult, LocalReport, Unit]


def test_the_report_names_file_unit_reads_and_reason(poisoned: Poisoned) -> None:
    report, _, done, unit = poisoned
    (lost,) = report.quarantined
    assert lost == done.manifests[0].quarantined[0]
    last = SIZE + unit.number_of_reads
    assert lost.what == f"{unit.parts[0].file.path}, reads {SIZE + 1} to {last}"
    assert (lost.reads, lost.tries) == (unit.number_of_reads, 3)
    assert lost.reason == "FloatingPointError: a signal nobody has seen before"
    assert lost.sentence() in report.remarks
    assert lost.what in done.report_html.read_text()


def test_the_accounts_balance_with_the_lost_reads_counted_as_such(
    poisoned: Poisoned, demo: DemoSet
) -> None:
    _, result, _, unit = poisoned
    assert all(sample.account.balanced for sample in result.samples)
    lost = sum(s.account.filtered.get(QUARANTINED, 0) for s in result.samples)
    everything = sum(s.account.total for s in result.samples)
    assert everything + sum(result.unlisted_barcodes.values()) == demo.reads
    assert 0 < lost <= unit.number_of_reads


def test_a_sample_that_lost_reads_is_never_clean_and_what_was_not_found_has_a_remark(
    poisoned: Poisoned,
) -> None:
    report, *_ = poisoned
    (lost,) = report.quarantined
    assert lost.samples
    for outcome in report.outcomes:
        named = any("could not be computed" in reason for reason in outcome.reasons)
        assert named == lost.concerns(outcome.sample)
        assert not (named and outcome.outcome is Outcome.REPORTABLE)
    screened = [f for f in report.findings if f.call is not Call.NOT_SCREENED]
    assert any(f.call is Call.NOT_DETECTED and f.lod95 for f in screened)
    for finding in screened:
        named = f"Reads of unit {lost.unit}, which could not be computed" in finding.remark
        assert named == lost.concerns(finding.sample)
        if finding.lod95 is not None:
            assert ("could not be computed" in finding.lod95.remark) == named
    assert report.outcome is not Outcome.REPORTABLE


def test_the_rest_of_the_screen_is_as_without_the_bad_unit(
    poisoned: Poisoned, demo: DemoSet, tmp_path: Path
) -> None:
    _, result, _, unit = poisoned
    whole = ScreenResult.model_validate_json(screen(demo, tmp_path).screen.read_bytes())
    for there, all_of_it in zip(result.samples, whole.samples, strict=True):
        assert there.account.total == all_of_it.account.total
        missing = all_of_it.quality.passed_reads - there.quality.passed_reads
        assert 0 <= missing <= there.account.filtered.get(QUARANTINED, 0)
    assert unit.parts[0].file.path


@pytest.fixture(scope="module")
def small_run(demo: DemoSet, tmp_path_factory: pytest.TempPathFactory) -> DemoSet:
    """Pieces of the demo's reads in sixty files of three reads."""
    folder = tmp_path_factory.mktemp("small")
    for path, content in small_files(demo, 60):
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(content)
    return demo.model_copy(update={"run_folder": folder})


def test_a_lost_unit_of_many_small_files_names_each_of_them(
    small_run: DemoSet, tmp_path: Path
) -> None:
    process, lost = ScreeningWork.process, []

    def fail(work: ScreeningWork, payload: Unit) -> UnitOutput:
        if len(payload.parts) > 2 and (not lost or payload.stretches() == lost[0].stretches()):
            lost.append(payload)
            raise FloatingPointError("a signal nobody has seen before")
        return process(work, payload)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ScreeningWork, "process", fail)
        for _ in range(2):
            with pytest.raises(FloatingPointError):
                screen(small_run, tmp_path)
        done = screen(small_run, tmp_path)
    report = Report.model_validate_json(done.report_json.read_bytes())
    (named,) = report.quarantined
    assert named.stretches == lost[0].stretches()
    assert len(named.stretches) >= SIZE // READS_PER_FILE
    assert all(part.file.path in " ".join(named.stretches) for part in lost[0].parts)
    result = ScreenResult.model_validate_json(done.screen.read_bytes())
    assert sum(s.account.filtered.get(QUARANTINED, 0) for s in result.samples) == SIZE


def test_how_small_files_are_cut_into_units_changes_no_answer(
    small_run: DemoSet, tmp_path: Path
) -> None:
    answers = []
    for most_files, size in ((100, SIZE), (7, SIZE), (1, 1000), (100, 1000)):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(reads, "MOST_FILES", most_files)
            done = screen(small_run, tmp_path / f"{most_files}-{size}", size)
        answers.append(done.screen.read_bytes())
    assert answers[1:] == answers[:-1]


KILLED = because(Code.UNIT_KILLED, signal="SIGSEGV")


def test_an_invalid_sample_stays_invalid() -> None:
    unit = QuarantinedUnit(unit=3, what="a.fastq", tries=3, why=(KILLED,))
    for before, after in (
        (Outcome.REPORTABLE, Outcome.REPORTABLE_WITH_REMARKS),
        (Outcome.REPORTABLE_WITH_REMARKS, Outcome.REPORTABLE_WITH_REMARKS),
        (Outcome.NOT_REPORTABLE, Outcome.NOT_REPORTABLE),
    ):
        outcome = _outcome(SampleOutcome(sample="pig", outcome=before, why=verbatim("why")), [unit])
        assert outcome.outcome is after
        assert outcome.reasons == (
            "why",
            "incomplete: a.fastq could not be computed (killed by SIGSEGV)",
        )


def test_a_run_of_one_bad_unit_fails_and_does_not_blame_the_reads(
    demo: DemoSet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_work: ScreeningWork, _unit: Unit) -> UnitOutput:
        raise FloatingPointError("always")

    monkeypatch.setattr(ScreeningWork, "process", fail)
    file = next(iter(sorted(demo.run_folder.rglob("*.fastq.gz"))))
    for expected in (FloatingPointError, FloatingPointError, WorkerFailed):
        with pytest.raises(expected):
            screen_locally(
                [file],
                references_root=demo.references,
                bundle=demo.bundle,
                out=tmp_path,
                parameters=ScreeningParameters(unit_reads=10**6),
            )
