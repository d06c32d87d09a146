"""Facts about runs and their files."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from porewatch.domain.base import Moment, Problem
from porewatch.domain.calls.verdict import Verdict
from porewatch.domain.facts.fact import Fact
from porewatch.domain.inputs.landing.answers import Treatment
from porewatch.domain.labels import Label
from porewatch.domain.people.roles import ProjectId
from porewatch.domain.reasons.reason import BesideText
from porewatch.domain.records.refusal import Refusal
from porewatch.domain.records.retention_record import Counts
from porewatch.domain.runs import RunState


class Owned(Fact):
    """With whose run it is; `project` is None in facts of earlier versions, which do not say it."""

    project: ProjectId | None = None
    name: Label | None = None
    submitted_by: str | None = None


class FileValidated(Fact):
    """A file was read to its last byte and can be used. `reads` is None when they could not be
    counted, `bases` for signal, which has none before basecalling."""

    path: str
    size: int
    reads: int | None
    bases: int | None


class FileQuarantined(Fact):
    """A file cannot be used; it lies under `quarantine/`, and `problem` says why and what to do.
    `code`: InputRefused, NoReadsInside, ReaderCrashed or NotJudged."""

    path: str
    problem: Problem
    code: str = "InputRefused"
    quarantine_key: str


class ObjectAnswered(Fact):
    """What objects of one kind in this run are taken for, or why they are not understood; once a
    kind. `path` is the first of them; `act`: reads are missed unless a person acts."""

    path: str
    kind: str
    verdict: Treatment
    problem: str
    remedy: str = ""
    act: bool = False


class RunSealed(Owned):
    """The manifest is here and fixes what the run is."""

    manifest_digest: str
    sealed_by: Literal["run.json", "final_summary", "bundle"]
    files: int
    samples: int


class RunStarted(Fact):
    """Every file of the manifest is sound and the execution was started, once."""

    execution_arn: str
    manifest_digest: str
    profile: str
    bundle: str
    samples: tuple[str, ...]


class RunRefused(Owned):
    """The input is refused; the run does not go on until it is sealed again. `why` has `problem`
    by code, `refusals` each thing that is wrong."""

    problem: Problem
    why: BesideText = ()
    refusals: tuple[Refusal, ...] = ()


class RunCompleted(Fact):
    """The reports are published. `projection_key`: what the registry shows of the run, in the
    reports bucket. In facts of earlier versions `verdict` is None and `projection_key` empty."""

    findings: int
    verdict: Verdict | None = None
    cost_usd: float
    report_keys: dict[str, str]
    projection_key: str = ""


class RunFailed(Fact):
    """The run has ended without a report, by an error of ours or of AWS. `why` has `problem` by
    code."""

    stage: str | None
    error: str
    problem: Problem
    why: BesideText = ()


class RunCancelled(Fact):
    """A person stopped the run; `was` is its state before. What its stages saved is kept. `why` has
    `problem` by code."""

    was: RunState
    by: str
    reason: str
    problem: Problem
    why: BesideText = ()


class RunStands(Fact):
    """A run that has not started waits longer than it should: files came and nothing more comes, or
    it is sealed and files are not checked. A notice only: no action follows."""

    clock: Literal["receiving", "sealed"]
    since: Moment
    files: Annotated[
        tuple[str, ...], Field(description="sealed: the first of those that are not checked")
    ] = ()
    count: Annotated[
        int, Field(ge=0, description="sealed: of those; receiving: of files checked so far")
    ] = 0


class RunHeld(Fact):
    """A person put the run under legal hold: nothing of it may be deleted."""

    by: str
    reason: str


class HoldReleased(Fact):
    """A person ended the legal hold that `held_by` had put on the run."""

    by: str
    reason: str
    held_since: Moment
    held_by: str


class RunDeleted(Fact):
    """All data of the run are gone, in all its revisions; a record of it stays. `was`: its state
    before; `counts`: how much it was."""

    by: str
    reason: str
    was: RunState
    counts: Counts


class ReportSigned(Fact):
    """A person signed the report of a revision: `number` counts the signatures of the run. `by` is
    the user's id; the name stands in the signature alone. `supersedes`: the revision that an
    amendment corrects."""

    number: int
    meaning: Literal["reviewed", "released", "amended"]
    samples: int
    by: str
    report_sha256: str
    supersedes: int | None = None
