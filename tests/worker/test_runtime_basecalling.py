"""Basecalling: the driver against a stand-in that has dorado's command line and exit codes."""

from __future__ import annotations

import json
import os
import shutil
import signal
import sys
import threading
import time
from pathlib import Path

import pysam
import pytest

from porewatch.domain.base import now
from porewatch.domain.errors import (
    BasecallerMissing,
    ConfigurationRefused,
    InputRefused,
    PorewatchError,
    Refused,
    WorkerFailed,
)
from porewatch.domain.runs import InputFile, ReadKind, RunManifest, Sample
from porewatch.domain.stage.manifest import StageManifest
from porewatch.domain.stage.spec import Phase
from porewatch.domain.stage.work_order import WorkOrder
from porewatch.reads.headers import from_tags
from porewatch.reads.sandbox import parent
from porewatch_worker import build_stage
from porewatch_worker.checkpoint.folder_store import FolderStore
from porewatch_worker.checkpoint.opening import open_checkpoint
from porewatch_worker.phases import called_bam, dorado
from porewatch_worker.phases.basecalling import Basecalling, BasecallingWork, skipped_record
from porewatch_worker.settings import BasecallerSettings
from porewatch_worker.stage.loop import (
    Ending,
    StageLoop,
)
from porewatch_worker.stage.progress_messages import CallbackOutbox
from porewatch_worker.stage.publish import (
    Author,
    FolderPublisher,
    describe,
)
from porewatch_worker.stage.stop import Stop
from porewatch_worker.stage_inputs import reads_of
from porewatch_worker.stage_work import Inputs
from tests.worker.reads.hostile import a_read, whole_bam

REPO = Path(__file__).parents[2]
SHARED = Path(os.environ.get("POREWATCH_SHARED", REPO.parent / "shared"))
SIGNAL = SHARED / "data/signal/multi_fast5_zip.pod5"
MODEL = "dna_r10.4.1_e8.2_400bps_hac@v5.2.0"
NAMES = ("pod5/a.pod5", "pod5/barcode02/b.pod5")

pytestmark = pytest.mark.skipif(not SIGNAL.exists(), reason="needs the shared POD5 signal file")


@pytest.fixture
def settings(tmp_path: Path) -> BasecallerSettings:
    """Settings that name the stand-in."""
    program = tmp_path / "bin/dorado"
    program.parent.mkdir()
    stand_in = Path(__file__).with_name("stand_in_dorado.py")
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" "{stand_in}" "$@"\n')
    program.chmod(0o755)
    return BasecallerSettings(program=str(program), device="cpu")


def test_what_dorado_wrote_is_read_in_the_box(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    raw = tmp_path / "called.bam"
    raw.write_bytes(whole_bam(a_read(b"b\0"), a_read(b"a\0")))
    counts = called_bam.in_order(raw, tmp_path / "o.bam", name="pod5/a.pod5")
    assert counts == (2, 8, None)
    monkeypatch.setattr(called_bam, "_model", lambda _: os.kill(os.getpid(), signal.SIGBUS))
    parent.idle.close()
    with pytest.raises(WorkerFailed, match=r"pod5/a\.pod5: dorado exits 0, but .* crash: SIGBUS"):
        called_bam.in_order(raw, tmp_path / "o.bam", name="pod5/a.pod5")
    parent.idle.close()


def an_order(barcodes: bool = False) -> WorkOrder:
    files = tuple(
        InputFile(
            path=name,
            kind=ReadKind.POD5,
            size=SIGNAL.stat().st_size,
            barcode="barcode02" if "barcode02" in name else None,
        )
        for name in NAMES
    )
    samples = tuple(
        Sample(name=f"s{n}", barcode=f"barcode0{n}" if barcodes else None)
        for n in ((1, 2) if barcodes else (1,))
    )
    manifest = RunManifest(run_id="run-1", created_at=now(), files=files, samples=samples)
    return WorkOrder(
        run_id="run-1",
        revision=1,
        stage="basecall",
        phases=(Phase.BASECALLING,),
        manifest=manifest,
        bundle="demo@1",
    )


def a_work(
    folder: Path, settings: BasecallerSettings, order: WorkOrder | None = None, **more: Stop
) -> BasecallingWork:
    inputs = Inputs({name: folder / name for name in NAMES})
    for path in inputs.fetched.values():
        path.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(SIGNAL, path)
    stop = more.get("stop", Stop())
    means = build_stage.Means(
        inputs, (), folder, folder / "scratch", settings, stopped=lambda: stop.requested
    )
    work = build_stage.build(order or an_order(), means)
    assert isinstance(work, BasecallingWork)
    return work


def a_loop(work: BasecallingWork, folder: Path, **more: Stop) -> StageLoop:
    return StageLoop(
        work=work,
        checkpoint=open_checkpoint(FolderStore(folder / "cp"), work.fingerprint(), 1),
        outbox=CallbackOutbox(lambda _: None),
        publisher=FolderPublisher(
            folder / "out", folder / "notes", Author("run-1", 1, "basecall", 1, "here")
        ),
        scratch=folder / "finish",
        **more,
    )


def test_every_pod5_file_becomes_one_bam_with_its_reads_in_order(
    tmp_path: Path, settings: BasecallerSettings
) -> None:
    a_loop(a_work(tmp_path, settings), tmp_path).run()
    with pysam.AlignmentFile(str(tmp_path / "out/bam/a.bam"), check_sq=False) as bam:
        header = bam.header.to_dict()
        reads = list(bam)
    assert len(reads) == 10
    names = [str(r.query_name) for r in reads]
    assert names == sorted(names)
    assert from_tags(names[0], dict(reads[0].get_tags())).basecall_model == MODEL
    assert "CL" not in header["PG"][0]
    assert (tmp_path / "out/bam/barcode02/b.bam").exists()
    summary = Basecalling.model_validate_json((tmp_path / "out/basecalling.json").read_bytes())
    assert summary.version == "1.4.0+stand-in"
    assert summary.model == MODEL
    first = summary.files[0]
    assert (first.signal_reads, first.reads, first.sample_rate) == (10, 10, 4000)
    assert first.bases == sum(r.query_length for r in reads)
    assert first.sequencing.kit == "sqk-lsk108"
    manifest = StageManifest.model_validate_json((tmp_path / "notes/manifest.json").read_bytes())
    (record,) = manifest.phases
    assert record.counts["reads"] == 20
    assert record.backend == f"dorado 1.4.0+stand-in, model {MODEL}, device cpu"
    assert record.tools["dorado"] == "1.4.0+stand-in"


def test_two_calls_of_one_file_give_the_same_bytes(
    tmp_path: Path, settings: BasecallerSettings
) -> None:
    work = a_work(tmp_path, settings)
    (_, payload), *_ = work.units(frozenset())
    assert work.process(payload).content == work.process(payload).content


def test_the_screen_stage_gets_the_uploaded_reads_and_what_was_called(
    tmp_path: Path, settings: BasecallerSettings
) -> None:
    a_loop(a_work(tmp_path, settings), tmp_path).run()
    manifest = StageManifest.model_validate_json((tmp_path / "notes/manifest.json").read_bytes())
    found = reads_of(an_order(), (manifest,))
    assert [(f.path, f.kind, f.barcode) for f in found] == [
        ("bam/a.bam", ReadKind.BAM, None),
        ("bam/barcode02/b.bam", ReadKind.BAM, "barcode02"),
    ]
    assert found[0].sha256 == describe(tmp_path / "out/bam/a.bam", "").sha256


def test_a_stop_ends_dorado_and_the_finished_file_is_kept(
    tmp_path: Path, settings: BasecallerSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    stop = Stop()
    work = a_work(tmp_path, settings, stop=stop)

    def saved(_number: int) -> None:
        monkeypatch.setenv("POREWATCH_TEST_DORADO", "slow")
        threading.Timer(0.5, lambda: stop.request("notice")).start()

    loop = a_loop(work, tmp_path, stop=stop)
    loop.on_save = saved
    begun = time.monotonic()
    assert loop.run() is Ending.INTERRUPTED
    assert time.monotonic() - begun < 20
    assert set(loop.checkpoint.units) == {1}
    monkeypatch.delenv("POREWATCH_TEST_DORADO")
    again = a_loop(a_work(tmp_path, settings), tmp_path)
    assert again.checkpoint.resumed == {1}
    assert again.run() is Ending.PUBLISHED


@pytest.mark.parametrize(
    ("fault", "error", "sentence"),
    [
        ("no-gpu", BasecallerMissing, "dorado found no GPU it can use"),
        ("no-model", ConfigurationRefused, "lacks the model"),
        ("bad-file", InputRefused, "pod5/a.pod5: dorado cannot basecall this file"),
        ("crash", WorkerFailed, "CUDA error: out of memory"),
        ("killed", WorkerFailed, "killed by signal 9"),
        ("cut-short", WorkerFailed, "its BAM cannot be read"),
    ],
)
def test_errors_of_dorado_become_ours(
    tmp_path: Path,
    settings: BasecallerSettings,
    monkeypatch: pytest.MonkeyPatch,
    fault: str,
    error: type[PorewatchError],
    sentence: str,
) -> None:
    work = a_work(tmp_path, settings)
    monkeypatch.setenv("POREWATCH_TEST_DORADO", fault)
    (_, payload), *_ = work.units(frozenset())
    with pytest.raises(error, match=sentence) as caught:
        work.process(payload)
    assert issubclass(error, Refused) == (caught.value.remedy is not None)


def test_no_dorado_is_refused_with_the_remedy(tmp_path: Path) -> None:
    with pytest.raises(BasecallerMissing, match="no 'no-such-dorado' here") as caught:
        a_work(tmp_path, BasecallerSettings(program="no-such-dorado"))
    assert "POREWATCH_DORADO" in str(caught.value.remedy)


def test_a_dorado_that_does_not_run_is_refused(tmp_path: Path) -> None:
    broken = tmp_path / "dorado"
    broken.write_text("#!/bin/sh\necho 'libcuda.so.1: cannot open' >&2; exit 127\n")
    broken.chmod(0o755)
    with pytest.raises(BasecallerMissing, match=r"exits 127: libcuda\.so\.1"):
        a_work(tmp_path, BasecallerSettings(program=str(broken)))


@pytest.mark.parametrize("change", [{"device": "cuda:all"}, {"gpu_required": True}])
def test_no_gpu_where_one_is_required_is_refused_before_anything_runs(
    tmp_path: Path,
    settings: BasecallerSettings,
    monkeypatch: pytest.MonkeyPatch,
    change: dict[str, object],
) -> None:
    monkeypatch.setattr(dorado, "GPU_DEVICES", tmp_path)
    with pytest.raises(BasecallerMissing, match="needs a GPU"):
        a_work(tmp_path, settings.model_copy(update=change))
    (tmp_path / "nvidia0").touch()
    a_work(tmp_path, settings.model_copy(update=change))


def test_a_file_that_is_no_signal_is_refused_by_name(
    tmp_path: Path, settings: BasecallerSettings
) -> None:
    work = a_work(tmp_path, settings)
    (tmp_path / NAMES[0]).write_bytes(SIGNAL.read_bytes()[:100_000])
    (_, payload), *_ = work.units(frozenset())
    with pytest.raises(InputRefused, match=r"pod5/a\.pod5: POD5 cannot be read"):
        work.process(payload)


def test_barcoded_samples_are_distinguished_by_the_kit_unless_the_file_names_its_barcode(
    tmp_path: Path, settings: BasecallerSettings
) -> None:
    a_loop(a_work(tmp_path, settings, an_order(barcodes=True)), tmp_path).run()

    def barcode(name: str) -> str | None:
        with pysam.AlignmentFile(str(tmp_path / "out" / name), check_sq=False) as bam:
            read = next(iter(bam))
            return from_tags(str(read.query_name), dict(read.get_tags())).barcode

    assert barcode("bam/a.bam") == "barcode07"
    assert barcode("bam/barcode02/b.bam") is None


def test_another_model_or_file_is_another_fingerprint(
    tmp_path: Path, settings: BasecallerSettings
) -> None:
    work = a_work(tmp_path, settings)
    other_model = a_work(tmp_path, settings.model_copy(update={"model": "sup"}))
    assert work.fingerprint() == a_work(tmp_path, settings).fingerprint()
    assert work.fingerprint() != other_model.fingerprint()


def test_basecalled_reads_skip_the_phase_and_the_record_names_their_model() -> None:
    record = skipped_record(MODEL)
    assert record.status == "skipped"
    assert record.reason == f"reads were already basecalled (model {MODEL}, by their headers)"
    assert json.loads(record.canonical_json())["backend"] == "imported reads"
    assert "name no model" in skipped_record(None).reason
