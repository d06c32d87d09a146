"""What running a run costs besides its machines: counts of calls, times list prices.

Counts follow from what a run went through (`Activity`) by the table below: what each kind of thing
that happens takes of each service, read off the state machine, the handlers and the template. The
sweep, the queues' polling, logs and the registry cost the same with no run at all: not in it.

Order: `Use` (a count of everything), the table, `Activity`, the two lines of the bill.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import NamedTuple

from porewatch.domain.base import Model
from porewatch.domain.forecast.prices import ServicePrices
from porewatch.domain.inputs.seal_note import SealNote
from porewatch.domain.money.cost import (
    FILES,
    ORCHESTRATION,
    CostLine,
)
from porewatch.domain.stage.record import StageRecord

BEAT_SECONDS = 60
CHECKPOINT_SECONDS = 900
"""What Young's formula gives for a usual flush and interruption rate (12 to 20 minutes)."""
CALL_SECONDS, CALL_GIB = 0.1, 0.5
"""A call of a control function: mean billed seconds (stated; most are warm) and its memory."""
CHECK_BYTES_PER_SECOND, CHECK_GIB = 80e6, 1.73
"""The validator reads each file to its end (126 MB/s were measured on one core; stated lower)."""
RAW_DAYS = 30
"""How long reads are kept (`RawDays`); what comes of them is small beside them."""
MONTH_DAYS = 30


class Use(NamedTuple):
    """How much of each service something takes. `writes` and `reads` are units of DynamoDB (1 KB
    and 4 KB, doubled in transactions and by the index); `calls` of Lambda, besides file checks."""

    transitions: float = 0
    calls: float = 0
    writes: float = 0
    reads: float = 0
    messages: float = 0
    events: float = 0
    puts: float = 0
    gets: float = 0

    def times(self, many: float) -> Use:
        return Use(*(many * part for part in self))

    def plus(self, *others: Use) -> Use:
        return Use(*(sum(parts) for parts in zip(self, *others, strict=True)))


PER_RUN = Use(transitions=4, calls=4, writes=20, reads=20, messages=6, events=2, puts=6, gets=12)
"""PlanRun, the last PickStage, AggregateResults, PublishReport; sealing, starting, reports."""
PER_STAGE = Use(transitions=2, puts=1, gets=4)
"""PickStage and CloseStage; the manifest of the stage."""
PER_EPOCH = Use(transitions=6, calls=6, writes=100, reads=60, messages=6, events=4, puts=3, gets=8)
"""OpenStage, SkipPublishedStage, LaunchInstance, AwaitWorker, TerminateInstance, ChooseNextStep;
the instance's claim and final message; order, log; the stage's moves, reservation and
settlement."""
PER_RETRY = Use(transitions=3, calls=1, writes=6, reads=4)
"""HandleError, ObeyDecision, WaitBeforeRetry."""
PER_BEAT = Use(calls=1, writes=4, reads=2, messages=3)
"""Worker to queue to relay to ledger; the callback to Step Functions is free."""
PER_CHECKPOINT = Use(puts=2)
"""What was done since the last one, and the list of units."""
PER_FACT = Use(calls=3.2, writes=2, reads=4, messages=6.6, events=1)
"""Written in a transaction, published, delivered to 2.2 consumers on average."""
PER_FILE = Use(calls=2, writes=12, reads=6, messages=6, events=3, puts=1, gets=3)
"""S3's event to two queues, the check, its record, the question whether the run can start."""


class Activity(Model):
    """What a run went through, or is expected to."""

    stages: int
    epochs: int
    retries: int = 0
    beats: float = 0
    checkpoints: int = 0
    facts: int = 0
    files: int = 0
    bytes: int = 0


def activity(
    records: Sequence[StageRecord],
    lines: Iterable[CostLine],
    sealed: SealNote,
    *,
    facts: int,
    at: datetime | None = None,
) -> Activity:
    """What a revision went through, from its stages, its bill so far, its seal and its facts.

    `at`: machines that are not on the bill yet count as they stand at that time.
    """
    billed = tuple(lines)
    seconds = sum(line.seconds for line in billed)
    if at is not None:
        seconds += seconds_off_the_bill(records, billed, at)
    return Activity(
        stages=len(records),
        epochs=sum(record.epoch for record in records),
        retries=sum(record.errors + record.waits for record in records),
        beats=seconds / BEAT_SECONDS,
        checkpoints=round(seconds / CHECKPOINT_SECONDS),
        facts=facts,
        files=sealed.files,
        bytes=sealed.bytes,
    )


def seconds_off_the_bill(
    records: Sequence[StageRecord], lines: Iterable[CostLine], at: datetime
) -> float:
    """How long machines have lived whose lines are still to come: those of a run that was stopped
    from outside end after it did, and their workers have spoken all the while."""
    settled = {(line.stage, line.epoch) for line in lines}
    return sum(
        max(0.0, (at - record.launched_at).total_seconds())
        for record in records
        if record.launched_at is not None and (record.stage, record.epoch) not in settled
    )


def used(done: Activity) -> Use:
    """Everything but the files."""
    return PER_RUN.plus(
        PER_STAGE.times(done.stages),
        PER_EPOCH.times(done.epochs),
        PER_RETRY.times(done.retries),
        PER_BEAT.times(done.beats),
        PER_CHECKPOINT.times(done.checkpoints),
        PER_FACT.times(done.facts),
    )


def price_of(use: Use, prices: ServicePrices) -> float:
    """USD, unrounded."""
    gib_seconds = use.calls * CALL_SECONDS * CALL_GIB
    return (
        use.transitions * prices.transition_thousand / 1e3
        + use.calls * prices.lambda_request_million / 1e6
        + gib_seconds * prices.lambda_gib_second
        + use.writes * prices.dynamodb_write_million / 1e6
        + use.reads * prices.dynamodb_read_million / 1e6
        + use.messages * prices.sqs_million / 1e6
        + use.events * prices.eventbridge_million / 1e6
        + use.puts * prices.s3_put_thousand / 1e3
        + use.gets * prices.s3_get_thousand / 1e3
    )


def orchestration_line(done: Activity, prices: ServicePrices, *, settled: bool = True) -> CostLine:
    """State machine, functions, ledger, messages and requests of a run."""
    use = used(done)
    detail = (
        f"{use.transitions:.0f} transitions, {use.calls:.0f} calls, {use.writes:.0f} writes, "
        f"{use.messages:.0f} messages, {use.puts + use.gets:.0f} requests"
    )
    usd = round(price_of(use, prices), 6)
    return CostLine(what=ORCHESTRATION, usd=usd, settled=settled, detail=detail)


def files_line(done: Activity, prices: ServicePrices, *, settled: bool = True) -> CostLine:
    """Checking the run's files, and keeping them until they expire."""
    gib = done.bytes / 2**30
    checks = done.bytes / CHECK_BYTES_PER_SECOND * CHECK_GIB * prices.lambda_gib_second
    kept = gib * prices.s3_gib_month * RAW_DAYS / MONTH_DAYS
    usd = round(price_of(PER_FILE.times(done.files), prices) + checks + kept, 6)
    detail = f"{done.files} files, {gib:.2f} GiB, kept {RAW_DAYS} days"
    stored = gib * RAW_DAYS * 24
    return CostLine(what=FILES, usd=usd, settled=settled, detail=detail, gib_hours=stored)


def overhead(done: Activity, prices: ServicePrices, *, settled: bool) -> tuple[CostLine, CostLine]:
    """The lines of the bill that are no machines."""
    return (
        orchestration_line(done, prices, settled=settled),
        files_line(done, prices, settled=settled),
    )
