"""`screen_locally`: every phase in this process, on the synthetic demo run."""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from porewatch.domain.calls.evidence import ScreenResult
from porewatch.domain.calls.findings import Quantification
from porewatch.domain.errors import BasecallerMissing, InputRefused, WorkerFailed
from porewatch.domain.results.report import (
    VOLATILE,
    Report,
)
from porewatch.domain.stage.manifest import StageManifest
from porewatch.domain.stage.record import Progress
from porewatch.domain.stage.screening_parameters import ScreeningParameters
from porewatch.domain.stage.spec import Phase
from porewatch_worker.local.run import (
    LocalReport,
    screen_locally,
)
from porewatch_worker.settings import BasecallerSettings
from porewatch_worker.simulate.demo import DemoSet, make_demo
from porewatch_worker.stage.child_process import in_child
from porewatch_worker.tables.shapes import tables

REPO = Path(__file__).parents[2]
SIGNAL = (
    Path(os.environ.get("POREWATCH_SHARED", REPO.parent / "shared"))
    / "data/signal/multi_fast5_zip.pod5"
)
SMALL_UNITS = ScreeningParameters(unit_reads=40)

PROGRAM = """
import sys
from pathlib import Path
from porewatch.domain.stage.screening_parameters import ScreeningParameters
from porewatch_worker.stage.child_process import in_child
from porewatch_worker.local.run import screen_locally

def on_progress(progress):
    if progress.phase == "pathogen_detection":
        print(progress.units_done, flush=True)

run, references, bundle, out, sheet = sys.argv[1:]
screen_locally([Path(run)], references_root=Path(references), bundle=bundle, out=Path(out),
               sample_sheet=Path(sheet), parameters=ScreeningParameters(unit_reads=40),
               progress=on_progress)
"""


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> DemoSet:
    return make_demo(tmp_path_factory.mktemp("demo"), scale=0.02)


def screen(
    demo: DemoSet,
    out: Path,
    progress: Callable[[Progress], None] = lambda _: None,
    threads: int = 2,
) -> LocalReport:
    return screen_locally(
        [demo.run_folder],
        references_root=demo.references,
        bundle=demo.bundle,
        out=out,
        sample_sheet=demo.sample_sheet,
        parameters=SMALL_UNITS.model_copy(update={"threads": threads}),
        progress=progress,
    )


@pytest.fixture(scope="module")
def whole(demo: DemoSet, tmp_path_factory: pytest.TempPathFactory) -> LocalReport:
    """A screen that nothing interrupted."""
    return screen(demo, tmp_path_factory.mktemp("whole"))


def lasting(report: Path) -> dict[str, object]:
    """A report without times and costs."""
    document = json.loads(report.read_text())
    return {name: value for name, value in document.items() if name not in VOLATILE}


def lasting_tables(out: Path) -> dict[str, bytes]:
    """The published tables besides those of time and money."""
    volatile = {f"{table.name}.tsv" for table in tables() if table.volatile}
    with zipfile.ZipFile(out / "tables.zip") as archive:
        return {name: archive.read(name) for name in archive.namelist() if name not in volatile}


def test_one_call_leaves_three_reports_and_both_results(whole: LocalReport, demo: DemoSet) -> None:
    report = Report.model_validate_json(whole.report_json.read_bytes())
    assert report.synthetic
    assert report.bill is None, "nobody rented this machine"
    assert {s.name for s in report.samples} >= set(demo.expected)
    assert whole.report_html.read_text().lstrip().lower().startswith("<!doctype html")
    assert whole.report_pdf.read_bytes().startswith(b"%PDF")
    result = ScreenResult.model_validate_json(whole.screen.read_bytes())
    assert all(sample.account.balanced for sample in result.samples)
    counted = sum(s.account.total for s in result.samples) + sum(result.unlisted_barcodes.values())
    assert counted == demo.reads
    Quantification.model_validate_json(whole.quantification.read_bytes())


def test_all_six_phases_leave_a_record_and_basecalling_says_it_was_skipped(
    whole: LocalReport,
) -> None:
    report = Report.model_validate_json(whole.report_json.read_bytes())
    records = [record for manifest in whole.manifests for record in manifest.phases]
    assert [record.phase for record in records] == list(Phase)
    assert [record.status for record in records] == ["skipped", *["completed"] * 5]
    assert records[0].reason.startswith("reads were already basecalled (model dna_r10")
    assert list(report.phases) == records[:-1], "a report cannot hold the record of its own making"


def test_killed_five_times_the_report_equals_an_uninterrupted_one(
    demo: DemoSet, whole: LocalReport, tmp_path: Path
) -> None:
    out, rng = tmp_path / "out", random.Random(7)
    arguments = [demo.run_folder, demo.references, demo.bundle, out, demo.sample_sheet]
    kept: set[str] = set()
    for _ in range(5):
        process = subprocess.Popen(
            [sys.executable, "-c", PROGRAM, *map(str, arguments)],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        _read_until_units(process, rng.randint(1, 3))
        time.sleep(rng.uniform(0, 0.05))
        process.send_signal(signal.SIGKILL)
        process.communicate(timeout=60)
        there = _listed(out)
        assert kept <= there, "a finished unit was lost"
        kept = there
    assert len(kept) >= 5
    report = screen(demo, out)
    first = report.manifests[0]
    assert first.units_resumed == len(kept)
    assert first.units_redone <= 1
    assert lasting(report.report_json) == lasting(whole.report_json)
    assert report.screen.read_bytes() == whole.screen.read_bytes()
    assert report.quantification.read_bytes() == whole.quantification.read_bytes()
    assert lasting_tables(out) == lasting_tables(whole.out)


@settings(max_examples=4, derandomize=True)
@given(
    st.lists(st.tuples(st.integers(1, 4), st.integers(1, 4)), min_size=1, max_size=3),
    st.integers(1, 4),
)
def test_kills_at_any_unit_and_any_number_of_threads_change_no_byte(
    demo: DemoSet,
    whole: LocalReport,
    tmp_path_factory: pytest.TempPathFactory,
    kills: list[tuple[int, int]],
    threads: int,
) -> None:
    """Each kill: SIGKILL after so many units, in a process that computes with so many threads."""
    out = tmp_path_factory.mktemp("killed")
    for units, its_threads in kills:
        with pytest.raises(WorkerFailed, match="killed by SIGKILL"):
            in_child(lambda u=units, t=its_threads: screen(demo, out, killing(u), t))  # type: ignore[misc]
    report = screen(demo, out, threads=threads)
    assert report.manifests[0].quarantined == ()
    assert report.manifests[0].units_resumed >= len(kills)
    for name in ("screen.json", "quantification.json"):
        assert (out / name).read_bytes() == (whole.out / name).read_bytes()
    assert lasting(report.report_json) == lasting(whole.report_json)


def killing(units: int) -> Callable[[Progress], None]:
    """Kills this process once `units` units were finished in it."""
    first: list[int] = []

    def on_progress(progress: Progress) -> None:
        if progress.phase is Phase.PATHOGEN_DETECTION and progress.units_total is None:
            first.append(progress.units_done)
            if first[-1] >= first[0] + units:
                os.kill(os.getpid(), signal.SIGKILL)

    return on_progress


def _read_until_units(process: subprocess.Popen[str], more: int) -> None:
    """Until `more` units were finished in this process, or it has ended."""
    assert process.stdout is not None
    done = [int(process.stdout.readline() or 0)]
    while done[-1] < done[0] + more:
        line = process.stdout.readline()
        if not line:
            return
        done.append(int(line))


def _listed(out: Path) -> set[str]:
    (found,) = (out / ".checkpoint/screen").glob("*/checkpoint.json")
    return set(json.loads(found.read_text())["units"])


def test_running_again_computes_nothing_again(
    demo: DemoSet, whole: LocalReport, tmp_path: Path
) -> None:
    out = tmp_path / "copy"
    shutil.copytree(whole.out, out)
    again = screen(demo, out)
    assert again.manifests[0].units_resumed == again.manifests[0].units > 5
    assert again.screen.read_bytes() == whole.screen.read_bytes()


def test_other_parameters_start_afresh_and_leave_no_old_checkpoint(
    demo: DemoSet, whole: LocalReport, tmp_path: Path
) -> None:
    out = tmp_path / "copy"
    shutil.copytree(whole.out, out)
    again = screen_locally(
        [demo.run_folder],
        references_root=demo.references,
        bundle=demo.bundle,
        out=out,
        sample_sheet=demo.sample_sheet,
        parameters=SMALL_UNITS.model_copy(update={"min_read_length": 300}),
    )
    assert again.manifests[0].units_resumed == 0
    assert len(list((out / ".checkpoint/screen").glob("*/checkpoint.json"))) == 1


def test_a_report_of_other_input_is_gone_before_the_new_one_is_half_made(
    whole: LocalReport, demo: DemoSet, tmp_path: Path
) -> None:
    out = shutil.copytree(whole.out, tmp_path / "out")
    seen = []

    def on_progress(progress: Progress) -> None:
        if progress.units_done:
            seen.append([path.name for path in out.iterdir() if path.is_file()])

    screen_locally(
        [demo.run_folder],
        references_root=demo.references,
        bundle=demo.bundle,
        out=out,
        parameters=ScreeningParameters(unit_reads=200),
        sample_sheet=demo.sample_sheet,
        progress=on_progress,
    )
    assert seen[0] == []
    assert (out / "report.html").exists()


def test_progress_has_the_check_the_units_and_the_phases(demo: DemoSet, tmp_path: Path) -> None:
    reported: list[Progress] = []
    screen(demo, tmp_path, reported.append)
    assert reported[0].note.startswith("checking ")
    units = [p.units_done for p in reported if p.phase is Phase.PATHOGEN_DETECTION]
    assert units[-1] > 5
    assert max(p.reads for p in reported) == demo.reads
    assert reported[-1].phase is Phase.QUANTIFICATION


def test_a_broken_file_is_refused_by_name_before_anything_is_computed(
    demo: DemoSet, tmp_path: Path
) -> None:
    good = next(demo.run_folder.rglob("*.fastq.gz"))
    broken = tmp_path / good.parent.name / "cut.fastq.gz"
    broken.parent.mkdir()
    broken.write_bytes(good.read_bytes()[:-50])
    with pytest.raises(InputRefused, match=r"cut\.fastq\.gz"):
        screen_locally(
            [good, broken],
            references_root=demo.references,
            bundle=demo.bundle,
            out=tmp_path / "out",
        )
    assert not (tmp_path / "out").exists()


def test_the_same_file_named_thrice_counts_once(demo: DemoSet, tmp_path: Path) -> None:
    good = next(demo.run_folder.rglob("*.fastq.gz"))
    totals = []
    for name, reads in (("once", [good]), ("thrice", [good, good, good])):
        out = tmp_path / name
        screen_locally(reads, references_root=demo.references, bundle=demo.bundle, out=out)
        report = Report.model_validate_json((out / "report.json").read_bytes())
        totals.append([(s.sample, s.quality.reads, s.quality.bases) for s in report.screens])
    assert totals[0] == totals[1] != []


@pytest.mark.skipif(not SIGNAL.exists(), reason="needs the shared POD5 signal file")
def test_signal_without_a_basecaller_is_refused_with_the_remedy(
    demo: DemoSet, tmp_path: Path
) -> None:
    with pytest.raises(BasecallerMissing, match="send basecalled reads"):
        screen_locally(
            [SIGNAL],
            references_root=demo.references,
            bundle=demo.bundle,
            out=tmp_path,
            basecaller=BasecallerSettings(program="no-such-dorado"),
        )


@pytest.mark.skipif(not SIGNAL.exists(), reason="needs the shared POD5 signal file")
def test_signal_is_basecalled_first_where_there_is_a_dorado(demo: DemoSet, tmp_path: Path) -> None:
    program = tmp_path / "dorado"
    stand_in = Path(__file__).with_name("stand_in_dorado.py")
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" "{stand_in}" "$@"\n')
    program.chmod(0o755)
    report = screen_locally(
        [SIGNAL],
        references_root=demo.references,
        bundle=demo.bundle,
        out=tmp_path / "out",
        basecaller=BasecallerSettings(program=str(program), device="cpu"),
    )
    records = [r for m in report.manifests for r in m.phases]
    assert [(r.phase, r.status) for r in records] == [(p, "completed") for p in Phase]
    result = ScreenResult.model_validate_json(report.screen.read_bytes())
    assert sum(s.account.total for s in result.samples) == 10
    report_ = Report.model_validate_json(report.report_json.read_bytes())
    assert report_.provenance.basecalling.startswith("done here: dorado 1.4.0+stand-in")
    assert isinstance(report.manifests[0], StageManifest)
