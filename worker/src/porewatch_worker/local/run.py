"""`porewatch screen`: all phases in this process, without a cloud, resumable after any
interruption.

    check every file -> (basecalling) -> screen -> quantification and reports

The stages, the loop and the checkpoints are those of an instance; only storage differs.
Below `out`: the reports, `screen.json`, `quantification.json`, and `.checkpoint/` with a folder for
each stage. A repeated call on the same input resumes; changed input starts over.
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

from porewatch.domain.base import Moment, now
from porewatch.domain.calls.release_policy import DEFAULT
from porewatch.domain.errors import Unavailable
from porewatch.domain.runs import ReadLimits, RunManifest
from porewatch.domain.stage.manifest import StageManifest
from porewatch.domain.stage.record import Progress
from porewatch.domain.stage.screening_parameters import ScreeningParameters
from porewatch.domain.stage.spec import Phase
from porewatch.domain.stage.work_order import WorkOrder
from porewatch_worker import build_stage
from porewatch_worker.checkpoint.folder_store import FolderStore
from porewatch_worker.checkpoint.opening import open_checkpoint
from porewatch_worker.local.reads import (
    OnProgress,
    check_reads,
)
from porewatch_worker.phases.screening_records import SCREENING
from porewatch_worker.references.verify import check_bundle
from porewatch_worker.science.release.policies import release_policies
from porewatch_worker.settings import BasecallerSettings, read_basecaller
from porewatch_worker.stage.loop import (
    Ending,
    StageLoop,
)
from porewatch_worker.stage.progress_messages import CallbackOutbox
from porewatch_worker.stage.publish import (
    MANIFEST,
    Author,
    FolderPublisher,
)
from porewatch_worker.stage_work import (
    Inputs,
    StageWork,
)

CHECKPOINTS = ".checkpoint"
HERE = "this-machine"


@dataclass(frozen=True)
class LocalReport:
    """Where the results are. `findings` counts detected panel members; `left_out` names the files
    of a folder that were not screened, and why."""

    out: Path
    manifests: tuple[StageManifest, ...]
    left_out: tuple[str, ...] = ()

    @property
    def report_json(self) -> Path:
        return self.out / "report.json"

    @property
    def report_html(self) -> Path:
        return self.out / "report.html"

    @property
    def report_pdf(self) -> Path:
        return self.out / "report.pdf"

    @property
    def screen(self) -> Path:
        return self.out / "screen.json"

    @property
    def quantification(self) -> Path:
        return self.out / "quantification.json"

    @property
    def findings(self) -> int | None:
        return self.manifests[-1].findings


def screen_locally(
    reads: list[Path],
    *,
    references_root: Path,
    bundle: str,
    out: Path,
    sample_sheet: Path | None = None,
    lab: Path | None = None,
    release_policy: str = DEFAULT,
    read_limits: ReadLimits | None = None,
    parameters: ScreeningParameters | None = None,
    progress: OnProgress = lambda _: None,
    basecaller: BasecallerSettings | None = None,
) -> LocalReport:
    """Screen files (or folders of them) against the bundle `name@version` below `references_root`.

    Without `sample_sheet` or `lab`, those found in a folder of `reads` are used.

    `progress` is called from several threads. Raises Refused with file, place and remedy. After a
    kill or Ctrl-C, the same call resumes after the last finished unit.
    """
    check_bundle(references_root, bundle)  # before hours of reading
    release_policies().of(release_policy)
    parameters = parameters or ScreeningParameters()
    notes: list[str] = []
    checked, sources = check_reads(
        reads, sample_sheet, bundle, progress, parameters.threads, lab=lab, on_note=notes.append
    )
    manifest = checked.model_copy(
        update={"release_policy": release_policy, "read_limits": read_limits}
    )
    run = _LocalRun(
        manifest=manifest,
        inputs=Inputs(dict(sources)),
        references_root=references_root,
        bundle=bundle,
        out=out,
        parameters=parameters,
        progress=progress,
        basecaller=basecaller or read_basecaller(),
        began=now(),
    )
    done: tuple[StageManifest, ...] = ()
    for stage, phases in _stages(manifest):
        done = (*done, run.stage(stage, phases, done))
    left_out = (*(found.sentence() for found in manifest.left_out), *notes)
    return LocalReport(out=out, manifests=done, left_out=left_out)


def _stages(manifest: RunManifest) -> tuple[tuple[str, tuple[Phase, ...]], ...]:
    screening = (("screen", SCREENING), ("report", build_stage.REPORT))
    return screening if manifest.basecalled else (("basecall", (Phase.BASECALLING,)), *screening)


@dataclass(frozen=True)
class _LocalRun:
    manifest: RunManifest
    inputs: Inputs
    references_root: Path
    bundle: str
    out: Path
    parameters: ScreeningParameters
    progress: OnProgress
    basecaller: BasecallerSettings
    began: Moment

    def stage(
        self, name: str, phases: tuple[Phase, ...], previous: tuple[StageManifest, ...]
    ) -> StageManifest:
        """Run one stage to its end; its outputs become inputs of the next."""
        notes = self.out / CHECKPOINTS / name
        order = self._order(name, phases, previous)
        means = build_stage.Means(
            inputs=self.inputs,
            previous=previous,
            references_root=self.references_root,
            scratch=notes / "scratch",
            basecaller=self.basecaller,
            rented=False,
        )
        self.progress(Progress(phase=phases[0], note="loading references"))
        manifest = self._run(build_stage.build(order, means), notes, name)
        self.inputs.fetched.update({n: self.out / n for n in manifest.outputs})
        return manifest

    def _run(self, work: StageWork, notes: Path, name: str) -> StageManifest:
        fingerprint = work.fingerprint()
        self._clear_older(notes / MANIFEST, fingerprint)
        store = FolderStore(notes / fingerprint[:16])
        loop = StageLoop(
            work=work,
            checkpoint=open_checkpoint(store, fingerprint, 1),
            outbox=CallbackOutbox(self.progress),
            publisher=FolderPublisher(
                self.out, notes, Author(self.manifest.run_id, 0, name, 1, HERE)
            ),
            scratch=notes / "scratch",
            beat_s=1.0,
        )
        if loop.run() is not Ending.PUBLISHED:
            raise Unavailable("screening was stopped.", remedy="run it again: it carries on.")
        for other in store.siblings():
            shutil.rmtree(notes / other, ignore_errors=True)
        shutil.rmtree(notes / "scratch", ignore_errors=True)
        return StageManifest.model_validate_json((notes / MANIFEST).read_bytes())

    def _clear_older(self, manifest_file: Path, fingerprint: str) -> None:
        """Remove reports of other input: an interruption must not leave them looking current."""
        if not manifest_file.exists():
            return
        if StageManifest.model_validate_json(manifest_file.read_bytes()).fingerprint == fingerprint:
            return
        for manifest in self.out.glob(f"{CHECKPOINTS}/*/{MANIFEST}"):
            older = StageManifest.model_validate_json(manifest.read_bytes())
            if older.finished_at < self.began:
                for name in older.outputs:
                    (self.out / name).unlink(missing_ok=True)

    def _order(
        self, name: str, phases: tuple[Phase, ...], previous: tuple[StageManifest, ...]
    ) -> WorkOrder:
        return WorkOrder(
            run_id=self.manifest.run_id,
            revision=0,
            stage=name,
            phases=phases,
            manifest=self.manifest,
            bundle=self.bundle,
            previous=tuple(manifest.stage for manifest in previous),
            parameters=self.parameters,
        )
