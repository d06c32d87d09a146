"""The one error tree. Class names are the protocol with Step Functions.

`Refused`: the input is wrong; trying again cannot help. `Unavailable`: try again later.
`Conflict`: someone was first, or we are no longer the owner. Every message says which file,
which record, and what to do about it.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain
from typing import NamedTuple

REMEDY = " Remedy: "


class PorewatchError(Exception):
    """Base of all errors we raise on purpose.

    `problem` is one sentence for a person. `file`, `record` (1-based record number) and `line`
    (1-based line number) and `column` (its heading) say where; `remedy` says what to do next.
    """

    def __init__(
        self,
        problem: str,
        *,
        file: str | None = None,
        record: int | None = None,
        line: int | None = None,
        column: str | None = None,
        remedy: str | None = None,
    ) -> None:
        self.problem = _encodable(problem)
        self.file = _encodable(file) if file is not None else None
        self.record = record
        self.line = line
        self.column = _encodable(column) if column is not None else None
        self.remedy = _encodable(remedy) if remedy is not None else None
        super().__init__(str(self))

    def __str__(self) -> str:
        where = self.file or ""
        if self.record is not None:
            where += f" record {self.record}"
        if self.line is not None:
            where += f" line {self.line}"
        text = f"{where.strip()}: {self.problem}" if where else self.problem
        return f"{text}{REMEDY}{self.remedy}" if self.remedy else text


class Said(NamedTuple):
    """An error's text in its two parts."""

    problem: str
    remedy: str


def parts_of(text: str) -> Said:
    """What `str` of an error was made of. Ledger, messages and manifests carry that text alone."""
    problem, _, remedy = text.partition(REMEDY)
    return Said(problem, remedy)


def _encodable(text: str) -> str:
    """With half characters (a name that is no UTF-8 has them) written out, so that every reason can
    be stored, sent and shown."""
    return text.encode("utf-8", "backslashreplace").decode()


class Refused(PorewatchError):
    """The input is wrong. Never retried."""


class InputRefused(Refused):
    """A reads or signal file cannot be used."""


class ManifestRefused(Refused):
    """A run manifest, bundle or sequencing summary cannot be used."""


class NotJudged(InputRefused):
    """What a file is could not be found out: reading it failed in a way that nobody foresaw."""


class ReaderCrashed(NotJudged):
    """The reader, a C library in a process of its own, died of the file."""


class NoReadsInside(InputRefused):
    """A file is sound, and there is nothing in it."""


class SeveralRefused(Refused):
    """More than one thing is wrong; `faults` holds one error for each."""

    def __init__(self, faults: Sequence[Refused]) -> None:
        alone = (f.faults if isinstance(f, SeveralRefused) else (f,) for f in faults)
        self.faults: tuple[Refused, ...] = tuple(chain.from_iterable(alone))
        super().__init__(
            f"{len(self.faults)} things are wrong: " + " ".join(map(str, self.faults)),
            remedy="correct or leave out what is named, then send it again.",
        )
        files = {fault.file for fault in self.faults}
        self.file = files.pop() if len(files) == 1 else None


class SampleSheetRefused(Refused):
    """A sample sheet cannot be used."""


class LaboratoryRefused(Refused):
    """A `lab.toml` cannot be used."""


class BundleRefused(Refused):
    """A reference bundle is missing, altered or incomplete."""


class BasecallerMissing(Refused):
    """Raw signal was sent, and no basecaller (dorado) or GPU is configured here."""


class NoReadsLeft(Refused):
    """Nothing passed quality control, so nothing can be said."""


class MessageRefused(Refused):
    """A message or event does not have the agreed shape. Goes to the dead-letter queue."""


class Unavailable(PorewatchError):
    """Try again: the world was not ready."""


class CapacityUnavailable(Unavailable):
    """No pool of instances had capacity. `pools` (`type@zone`): those that said so themselves."""

    pools: tuple[str, ...] = ()


class QuotaExceeded(Unavailable):
    """An account quota stands in the way; another purchase type may not."""


class DiskFull(Unavailable):
    """The machine's disk does not hold what the work needs."""


class OutOfTime(Unavailable):
    """Work that a function has some minutes for took longer; when it does so each time, that is a
    verdict on what it worked at."""


class FilesLacking(Unavailable):
    """Files of a run have not come, or were not checked yet."""


class Throttled(Unavailable):
    """The service asked us to slow down; same request, same token, later."""


class LaunchUnknown(Unavailable):
    """A launch may or may not have happened; look it up before launching again."""


class NotShownYet(Unavailable):
    """What a deploy made a moment ago does not show everywhere yet."""


class SpotInterrupted(Unavailable):
    """The machine was reclaimed; work up to the last checkpoint is safe."""


class WorkerLost(Unavailable):
    """The machine died or went silent."""


class WorkerFailed(PorewatchError):
    """The worker stopped on a fault of its own (a bug); `problem` holds the last lines."""


class ChainForged(Refused):
    """The newest daily record of audit heads was not made by the audit key; nobody signs over it.
    No Conflict: people have to see it."""


class ConfigurationRefused(Refused):
    """The deployment is set up wrongly; the operator's task, not the sender's."""


class BudgetExceeded(Refused):
    """The next launch would exceed the budget of the run or of the account."""


class Conflict(PorewatchError):
    """Someone was first."""


class StaleEpoch(Conflict):
    """The write carried an old epoch: another machine owns this stage now."""


class AlreadyDone(Conflict):
    """The same thing was already recorded. Usually a success."""


class RunOver(Conflict):
    """The run has ended already, in another way than was asked for."""


class RunNotOver(Conflict):
    """The run is still under way, so what was asked for has to wait."""


class UnderHold(Conflict):
    """The run is under legal hold: nothing of it may be deleted."""


class RunGone(Conflict):
    """The run was deleted. `run_id`: which one; nothing brings it back."""

    run_id: str = ""


class NotFound(Refused):
    """What was asked for does not exist."""
