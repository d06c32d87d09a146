"""Validate an uploaded file: recorded with its counts, or moved to quarantine with the reason.

Order: is it still the object of the event -> read it whole, once -> record and fact in one write ->
(when it is invalid) move it to quarantine. The record comes before the move, so that the next
delivery finishes after a crash in between, and the reason is never lost.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from datetime import datetime
from functools import partial
from typing import IO, TYPE_CHECKING, Protocol

from porewatch.domain import s3_keys
from porewatch.domain.base import Model, now
from porewatch.domain.errors import (
    AlreadyDone,
    InputRefused,
    NoReadsInside,
    NotJudged,
    PorewatchError,
)
from porewatch.domain.facts.run_facts import FileQuarantined, FileValidated
from porewatch.domain.inputs.file_kinds import find_kind
from porewatch.domain.inputs.file_names import (
    Landed,
    classify,
)
from porewatch.domain.inputs.landing.answers import answer_of
from porewatch.domain.inputs.landing.run_paths import run_path
from porewatch.domain.records.file_record import FileRecord, FileState
from porewatch.domain.runs import ReadKind, Sequencing
from porewatch.domain.sealing import input_file
from porewatch.usecases.alerts.send_alert import send_notice
from porewatch.usecases.intake.answer_gone import gone_answered
from porewatch.usecases.intake.answer_object import answer_object, answer_stray

if TYPE_CHECKING:
    from porewatch.adapters.ledger.idempotency import Inbox
    from porewatch.adapters.ledger.runs import RunLedger
    from porewatch.adapters.messages.notices import Topic
    from porewatch.adapters.objects import Head, Objects

MOST_SECONDS = 780.0
"""Time to read one file in: a Lambda function has 15 minutes."""
_log = logging.getLogger(__name__)


class Arrival(Model):
    """An uploaded object. `sequencer` orders the events of one key."""

    key: str
    etag: str
    sequencer: str


Notify = Callable[[FileQuarantined], None]
"""Sends the notice of the fact, once."""


class Summary(Protocol):
    """Result of a check (`porewatch.reads.summary.ReadsSummary`)."""

    @property
    def size(self) -> int: ...
    @property
    def sha256(self) -> str: ...
    @property
    def counted(self) -> bool: ...
    @property
    def reads(self) -> int: ...
    @property
    def bases(self) -> int: ...
    @property
    def n50(self) -> int: ...
    @property
    def mean_quality(self) -> float | None: ...
    @property
    def barcodes(self) -> Mapping[str, int]: ...
    @property
    def sequencing(self) -> Sequencing: ...


class Check(Protocol):
    """Reads a stream to its end (`porewatch.reads.check.check_stream`); raises InputRefused."""

    def __call__(
        self,
        stream: IO[bytes],
        *,
        kind: ReadKind,
        name: str,
        size: int | None,
        part: Callable[[int, int], bytes],
    ) -> Summary: ...


def handle_object(
    arrival: Arrival,
    error: Exception | None,
    *,
    raw: Objects,
    runs: RunLedger,
    check: Check,
    inbox: Inbox,
    notices: Topic,
) -> None:
    """Validate an object of a run, or give it up after `error`, when its last delivery has failed
    as well. Outside of the folders of runs it gets an answer by its kind. RunGone, which is
    answered, for a deleted run."""
    if not s3_keys.lies_in_a_run(arrival.key):
        return answer_stray(arrival.key, inbox=inbox, notices=notices)
    notify = partial(send_notice, inbox=inbox, notices=notices)
    with gone_answered(arrival.key, runs=runs):
        if error is not None:
            return give_up(arrival, error, raw=raw, runs=runs, notify=notify)
        return validate_file(arrival, raw=raw, runs=runs, check=check, notify=notify)


def validate_file(
    arrival: Arrival,
    *,
    raw: Objects,
    runs: RunLedger,
    check: Check,
    notify: Notify,
    clock: Callable[[], datetime] = now,
) -> None:
    """Check one object and record the verdict; an invalid one is notified at once. AlreadyDone for
    outdated events.

    Reads are checked wherever they are in the run; every other file gets an answer, unread. In a
    folder of reads (`fastq/`) files without reads are quarantined. MessageRefused for an invalid
    run id.
    """
    run_id, path = s3_keys.split_raw_key(arrival.key)
    if path.endswith("/"):
        raise AlreadyDone("is a folder marker.", file=arrival.key)
    answer = answer_of(path)
    if answer is not None and not _is_meant_as_reads(path):
        answer_object(run_id, path, answer, runs=runs, at=clock())
        return
    head = raw.head(arrival.key)
    if runs.knows_event(run_id, path, arrival.sequencer):
        _finish_quarantine(runs.file(run_id, path), head, raw)
        raise AlreadyDone("was checked before.", file=arrival.key)
    if head is None or head.etag != arrival.etag:
        raise AlreadyDone("was replaced or removed since.", file=arrival.key)
    at = clock()
    runs.receive(run_id, at)
    try:
        record = _checked(run_id, path, head, raw=raw, check=check, at=at)
    except InputRefused as refusal:
        _set_aside(
            run_id, path, head, refusal, arrival=arrival, raw=raw, runs=runs, notify=notify, at=at
        )
        return
    fact = FileValidated(
        fact_id=FileValidated.id_of(run_id, path, arrival.sequencer),
        run_id=run_id,
        at=at,
        path=path,
        size=record.size,
        reads=record.reads,
        bases=record.bases,
    )
    runs.record_file(record, sequencer=arrival.sequencer, fact=fact)
    counted = "reads not counted" if record.reads is None else f"{record.reads} reads"
    _log.info("%s is valid: %s, %s bases", arrival.key, counted, record.bases)


def give_up(
    arrival: Arrival,
    error: Exception,
    *,
    raw: Objects,
    runs: RunLedger,
    notify: Notify,
    clock: Callable[[], datetime] = now,
) -> None:
    """The verdict on a file whose last delivery failed: quarantined with the error, so that its run
    does not wait for it. AlreadyDone when it has a verdict."""
    run_id, path = s3_keys.split_raw_key(arrival.key)
    head = raw.head(arrival.key)
    if head is None or head.etag != arrival.etag:
        raise AlreadyDone("was replaced or removed since.", file=arrival.key)
    reason = (
        error.problem if isinstance(error, PorewatchError) else f"{type(error).__name__}: {error}"
    )
    refusal = NotJudged(
        f"The file could not be judged: {reason[:500]}",
        file=path,
        remedy="write it again with the basecaller and send it, or leave it out of the run; it is "
        "kept, and so is the message about it, for whoever runs the stack.",
    )
    runs.receive(run_id, clock())  # raises RunGone for a deleted run
    _set_aside(
        run_id, path, head, refusal, arrival=arrival, raw=raw, runs=runs, notify=notify, at=clock()
    )


_MEANT = (Landed.READS, Landed.UNREADABLE, Landed.SIGNAL_OLD, Landed.TABLE, Landed.UNKNOWN)


def _is_meant_as_reads(path: str) -> bool:
    """A file right below `fastq/`, `bam/` or `pod5/` is meant to hold reads."""
    return path.split("/", 1)[0] in set(ReadKind) and classify(path) in _MEANT


def _checked(
    run_id: str, path: str, head: Head, *, raw: Objects, check: Check, at: datetime
) -> FileRecord:
    place = path if _is_meant_as_reads(path) else run_path(path)
    kind = input_file(place, head.size).kind
    found = check(
        raw.stream(head.key, head.version),
        kind=kind,
        name=path,
        size=head.size,
        part=lambda offset, length: raw.part(head.key, offset, length, head.version),
    )
    return FileRecord(
        run_id=run_id,
        path=path,
        kind=kind,
        state=FileState.VALID,
        size=found.size,
        etag=head.etag,
        version=head.version,
        sha256=found.sha256,
        reads=found.reads if found.counted else None,
        bases=None if kind is ReadKind.POD5 else found.bases,
        n50=found.n50,
        mean_quality=found.mean_quality,
        flow_cell=found.sequencing.flow_cell,
        barcodes=dict(found.barcodes),
        checked_at=at,
    )


def _set_aside(
    run_id: str,
    path: str,
    head: Head,
    refusal: InputRefused,
    *,
    arrival: Arrival,
    raw: Objects,
    runs: RunLedger,
    notify: Notify,
    at: datetime,
) -> None:
    target = s3_keys.quarantine_key(head.key)
    record = FileRecord(
        run_id=run_id,
        path=path,
        kind=find_kind(path) or ReadKind(path.split("/", 1)[0]),
        state=FileState.QUARANTINED,
        size=head.size,
        etag=head.etag,
        empty=isinstance(refusal, NoReadsInside),
        problem=str(refusal),
        code=type(refusal).__name__,
        quarantine_key=target,
        checked_at=at,
    )
    fact = FileQuarantined(
        fact_id=FileQuarantined.id_of(run_id, path, arrival.sequencer),
        run_id=run_id,
        at=at,
        path=path,
        problem=str(refusal),
        code=type(refusal).__name__,
        quarantine_key=target,
    )
    if runs.record_file(record, sequencer=arrival.sequencer, fact=fact):
        _finish_quarantine(record, raw.head(head.key), raw)
        notify(fact)
    _log.warning("quarantined: %s", refusal)


def _finish_quarantine(record: FileRecord | None, head: Head | None, raw: Objects) -> None:
    """Move the object, if it is still the one that was refused."""
    if record is None or record.state is not FileState.QUARANTINED or head is None:
        return
    if record.quarantine_key and head.etag == record.etag:
        raw.move(head.key, record.quarantine_key)
