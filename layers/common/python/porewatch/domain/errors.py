"""The one error tree. Class names are the protocol with Step Functions.

`Refused`: never retried. `Unavailable`: retried later. `Conflict`: another writer was first, or we
are no longer the owner. Every message says which file, which record, and what to do about it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import chain
from typing import NamedTuple, Protocol

REMEDY = " Remedy: "


class Coded(Protocol):
    """A problem by code and values: `domain.reasons.reason.Reason`."""

    @property
    def code(self) -> str: ...

    def text(self) -> str: ...


class PorewatchError(Exception):
    """Base of all errors we raise ourselves.

    `problem` is one sentence for a person; `why` has it by code, if it was raised with one. `file`,
    `record`, `line` (from 1) and `column` (its heading) say where; `remedy` what to do next.
    """

    def __init__(
        self,
        problem: str | Coded,
        *,
        file: str | None = None,
        record: int | None = None,
        line: int | None = None,
        column: str | None = None,
        remedy: str | None = None,
    ) -> None:
        self.why = None if isinstance(problem, str) else problem
        self.problem = _encodable(problem if isinstance(problem, str) else problem.text())
        self.file = _encodable(file) if file is not None else None
        self.record = record
        self.line = line
        self.column = _encodable(column) if column is not None else None
        self.remedy = _encodable(remedy) if remedy is not None else None
        super().__init__(str(self))

    @property
    def code(self) -> str:
        """A stable name for programs: of `why`, else of the class.

        >>> NoReadsInside("it is empty.").code
        'no_reads_inside'
        """
        return str(self.why.code) if self.why is not None else code_of(type(self).__name__)

    def __str__(self) -> str:
        where = self.file or ""
        if self.record is not None:
            where += f" record {self.record}"
        if self.line is not None:
            where += f" line {self.line}"
        text = f"{where.strip()}: {self.problem}" if where else self.problem
        return f"{text}{REMEDY}{self.remedy}" if self.remedy else text


def code_of(name: str) -> str:
    """The code of an error that is known by the name of its class, or by a service's own.

    >>> code_of("BundleRefused"), code_of("States.Timeout")
    ('bundle_refused', 'states_timeout')
    """
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])|\.", "_", name).lower()


class Said(NamedTuple):
    """An error's text in its two parts."""

    problem: str
    remedy: str


def parts_of(text: str) -> Said:
    """What `str` of an error was made of. Ledger, messages and manifests carry that text alone."""
    problem, _, remedy = text.partition(REMEDY)
    return Said(problem, remedy)


def _encodable(text: str) -> str:
    """With surrogates (from names that are not UTF-8) escaped, so that every message can be stored,
    sent and shown."""
    return text.encode("utf-8", "backslashreplace").decode()


class Refused(PorewatchError):
    """The input is wrong. Never retried."""


class InputRefused(Refused):
    """A reads or signal file cannot be used."""


class ManifestRefused(Refused):
    """A run manifest, bundle or sequencing summary cannot be used."""


class NotJudged(InputRefused):
    """The file could not be classified: reading it failed in an unexpected way."""


class ReaderCrashed(NotJudged):
    """The reader (a C library in a child process) crashed on the file."""


class NoReadsInside(InputRefused):
    """The file is valid, and holds no reads."""


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
    """No read passed quality control, so there is no result."""


class MessageRefused(Refused):
    """A message or event does not have the agreed shape. Goes to the dead-letter queue."""


class IdentityRefused(Refused):
    """A machine is not what it says it is: it gets no credentials."""


class Unavailable(PorewatchError):
    """Temporary: retry later."""


class CapacityUnavailable(Unavailable):
    """No capacity pool had an instance. `pools` (`type@zone`): those that reported it."""

    pools: tuple[str, ...] = ()


class QuotaExceeded(Unavailable):
    """An account quota is reached; another purchase type may have its own."""


class DiskFull(Unavailable):
    """The instance's disk is too small for the work."""


class OutOfTime(Unavailable):
    """Work took longer than a function may; if it does each time, the input is at fault."""


class FilesLacking(Unavailable):
    """Files of a run are missing or not yet validated."""


class Throttled(Unavailable):
    """The service throttled the request; retry it later with the same client token."""


class LaunchUnknown(Unavailable):
    """A launch may or may not have happened; look it up before launching again."""


class NotShownYet(Unavailable):
    """Eventual consistency: a resource of the last deployment is not visible everywhere yet."""


class SpotInterrupted(Unavailable):
    """The instance was interrupted; work up to the last checkpoint is safe."""


class WorkerLost(Unavailable):
    """The instance failed or its heartbeats stopped."""


class WorkerFailed(PorewatchError):
    """The worker stopped on an unexpected error (a bug); `problem` holds the last lines."""


class ChainForged(Refused):
    """The newest daily record of audit heads is not signed with the audit key. Not a Conflict."""


class ConfigurationRefused(Refused):
    """The deployment is misconfigured: for the operator to correct, not the sender."""


class SignInRefused(Refused):
    """Nobody is signed in: the identity provider declined, or its answer is not to be trusted."""


class BudgetExceeded(Refused):
    """The next launch would exceed the budget of the run or of the account."""


class Conflict(PorewatchError):
    """Another writer was first."""


class StaleEpoch(Conflict):
    """The write carried an old epoch: another instance owns this stage now."""


class AlreadyDone(Conflict):
    """Already recorded. Usually a success."""


class RunOver(Conflict):
    """The run has already ended, in another way than requested."""


class RunNotOver(Conflict):
    """The run is still running; the request has to wait."""


class UnderHold(Conflict):
    """The run is under legal hold: nothing of it may be deleted."""


class UploadsOpen(Conflict):
    """Files of the run are still being uploaded."""


class RunGone(Conflict):
    """The run was deleted. `run_id`: which one; nothing brings it back."""

    run_id: str = ""


class NameTaken(Refused):
    """A name is given to something else already; no retry changes that."""


class KeyReused(Refused):
    """A request came with the key of an earlier one that asked for something else."""


class NotFound(Refused):
    """The requested object does not exist."""


class NotSignedIn(Refused):
    """Nobody asks: the request carries no session and no token, or one that is over."""


class Forbidden(Refused):
    """Who asks may see it, and may not do this."""


class AccountRefused(Refused):
    """An account, invitation or link does not allow it as it is; its code says why."""


class TierRefused(AccountRefused):
    """The tier of the user does not allow it. `tier`: its name; a higher one may allow it."""

    tier: str = ""


class ReceiverRefused(Refused):
    """What was sent (to a webhook, by mail) is not accepted, and will not be."""


class ArchiveStuck(Refused):
    """An artefact could not be archived, or brought back, in many attempts."""
