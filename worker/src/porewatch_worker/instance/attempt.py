"""One attempt at one stage, on an instance: claim, fetch, compute, publish, report.

    tags -> claim -> order -> inputs and references -> checkpoint -> loop -> final message

Every attempt ends with one final message to the control plane, or with none when the epoch is not
(or no longer) ours: then another instance reports on the stage.
"""

from __future__ import annotations

import logging
import shutil
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from porewatch.domain import s3_keys
from porewatch.domain.errors import PorewatchError, Refused, StaleEpoch
from porewatch.domain.stage.record import Progress, StageRecord
from porewatch.domain.stage.spec import Phase
from porewatch.domain.stage.work_order import WorkOrder
from porewatch_worker import build_stage
from porewatch_worker.checkpoint.checkpoint import Checkpoint
from porewatch_worker.checkpoint.interval import SaveInterval
from porewatch_worker.checkpoint.opening import open_checkpoint
from porewatch_worker.full_disk import full_disk
from porewatch_worker.instance.assignment import (
    Assignment,
    read_assignment,
    read_order,
    read_previous,
)
from porewatch_worker.instance.claim import Claim
from porewatch_worker.instance.control_plane import QueueOutbox
from porewatch_worker.instance.interruption_watch import (
    InterruptionCheck,
    OwnershipCheck,
    check_safely,
)
from porewatch_worker.instance.log_shipping import ShippedLog
from porewatch_worker.instance.s3_publisher import S3Publisher
from porewatch_worker.instance.watchdog_file import SignOfLife
from porewatch_worker.references.locate import (
    Bucket,
    Fetching,
    placed,
)
from porewatch_worker.settings import cores
from porewatch_worker.stage.fetched_inputs import FetchedInputs
from porewatch_worker.stage.loop import StageLoop
from porewatch_worker.stage.periodic import repeating
from porewatch_worker.stage.publish import Author
from porewatch_worker.stage_inputs import sources_of

if TYPE_CHECKING:
    from porewatch.adapters.s3.downloads import Downloads
    from porewatch_worker.instance.claim import (
        Ledger,
        Notes,
    )
    from porewatch_worker.instance.control_plane import Queue
    from porewatch_worker.instance.instance_metadata import InstanceMetadata
    from porewatch_worker.instance.service_outages import Patience
    from porewatch_worker.settings import WorkerSettings
    from porewatch_worker.stage.stop import Stop
    from porewatch_worker.stage_work import StageWork

log = logging.getLogger(__name__)
DONE, FAILED, NOT_SET_UP, REFUSED = 0, 1, 2, 3
LAST_LINES = 12
METADATA_S = 240.0
"""How long an instance waits for its assignment: less than its boot deadline."""


@dataclass(frozen=True)
class Cloud:
    """The services an attempt uses."""

    metadata: InstanceMetadata
    ledger: Ledger
    notes: Notes
    queue: Queue
    raw: Downloads
    results: Downloads
    user_id: Callable[[], str]
    patience: Patience
    bundles: Bucket | None = None


def run_attempt(
    settings: WorkerSettings, cloud: Cloud, stop: Stop, build: build_stage.Build = build_stage.build
) -> int:
    """The exit code: DONE (published, interrupted or not ours), FAILED, NOT_SET_UP or REFUSED."""
    from porewatch_worker.instance.service_outages import Patience  # noqa: PLC0415

    try:
        who = Patience(stop, min(METADATA_S, settings.patience_s or METADATA_S))(
            lambda: read_assignment(cloud.metadata, settings.assignment, cloud.user_id)
        )
    except StaleEpoch as e:
        log.info("exiting without a message (epoch lost): %s", e)
        return DONE
    except PorewatchError:
        log.exception("this instance has no assignment, or no credentials for it")
        return NOT_SET_UP
    scratch = settings.scratch / f"{who.run_id}-r{who.revision}-{who.stage}-e{who.epoch}"
    key = s3_keys.log_key(who.prefix)
    try:
        scratch.mkdir(parents=True, exist_ok=True)
        shipped = ShippedLog(scratch / "worker.log", cloud.results, key, settings.beat_s)
    except OSError as e:  # no log can be written
        QueueOutbox(cloud.queue, who).broken(*_failure(full_disk(e, scratch) or e))
        return FAILED
    with shipped:
        code = _Attempt(settings, cloud, stop, who, scratch, build).run()
    shutil.rmtree(scratch, ignore_errors=True)
    return code


def _failure(error: Exception) -> tuple[str, str]:
    """Class and message of the error that ended the attempt; for a bug, the end of the
    traceback."""
    if isinstance(error, PorewatchError):
        return type(error).__name__, str(error)
    lines = "".join(traceback.format_exception(error)).strip().splitlines()
    return "WorkerFailed", "\n".join(lines[-LAST_LINES:])


@dataclass
class _Attempt:
    settings: WorkerSettings
    cloud: Cloud
    stop: Stop
    who: Assignment
    scratch: Path
    build: build_stage.Build

    def __post_init__(self) -> None:
        self.outbox = QueueOutbox(self.cloud.queue, self.who)
        cloud, beat_s = self.cloud, self.settings.beat_s
        self.claim = Claim(cloud.ledger, cloud.notes, self.who, beat_s)
        author = Author(**self.who.model_dump())
        self.publisher = S3Publisher(
            self.cloud.results,
            author,
            self.who.prefix,
            lambda: self.cloud.patience(self.claim.refuse_lost),
        )
        self.sign = SignOfLife(self.settings.alive, self.settings.stalled_s)
        self.inputs: FetchedInputs | None = None
        self.references = Fetching(lambda: self.stop.requested)

    def run(self) -> int:
        who = self.who
        log.info("%s r%d %s epoch %d", who.run_id, who.revision, who.stage, who.epoch)
        try:
            self._owned(self.cloud.patience(self.claim.take))
        except StaleEpoch as e:
            log.info("exiting without a message (epoch lost): %s", e)
            return DONE
        except Exception as e:
            log.exception("the stage cannot go on")
            named = full_disk(e, self.scratch) or e
            self.outbox.broken(*_failure(named))
            return REFUSED if isinstance(named, Refused) else FAILED
        finally:
            if self.inputs is not None:
                self.inputs.close()
        return DONE

    def _owned(self, record: StageRecord) -> None:
        self.outbox.claimed()
        notices = InterruptionCheck(self.cloud.metadata, self.stop)
        owner = OwnershipCheck(lambda: self.claim.holds(self.outbox.last_progress), self.stop)
        with (
            repeating(self.settings.watch_s, "notice", lambda: check_safely(notices)),
            repeating(self.settings.beat_s, "owner", lambda: check_safely(owner)),
            repeating(self.settings.beat_s, "alive", self.sign),
        ):
            loop = self._prepared(record)
            if loop is not None:
                log.info("%s", loop.run())

    def _prepared(self, record: StageRecord) -> StageLoop | None:
        """All that may take long before the first unit, with heartbeats meanwhile. None when the
        stage is published already."""
        preparing = Progress(phase=record.phases[0], note="preparing inputs and references")

        def beat() -> None:
            waits = self.cloud.patience.waiting
            note = str(self.references) or preparing.note
            now = {"waits_for_service": waits, "note": note}
            self.outbox.beat(preparing.model_copy(update=now))

        with repeating(self.settings.beat_s, "beat", beat):
            there = self.publisher.published()
            if there is None:
                return self._loop(self._order(), record)
        log.info("epoch %d has published this stage already", there[1].epoch)
        self.outbox.published(there[0])
        return None

    def _order(self) -> WorkOrder:
        """The order, with what happened between its writing and this instance's launch."""
        order = read_order(self.cloud.results, self.cloud.raw, self.who)
        since = self.claim.refused_before()
        return order.model_copy(update={"timeline": (*order.timeline, *since)})

    def _loop(self, order: WorkOrder, record: StageRecord) -> StageLoop:
        inputs, work = self._work(order)
        checkpoint = self._checkpoint(work, record, order.attempts)
        loop = StageLoop(
            work=work,
            checkpoint=checkpoint,
            outbox=self.outbox,
            publisher=self.publisher,
            scratch=self.scratch / "outputs",
            stop=self.stop,
            beat_s=self.settings.beat_s,
            grace_s=self.settings.grace_s,
            note=lambda: inputs.fetching,
            waits=lambda: self.cloud.patience.waiting,
            rules=order.quarantine,
            interval=SaveInterval(self.settings.mean_to_interrupt_s / (1 + record.interruptions)),
        )
        self.sign.moving = lambda: (loop.progress(), self.cloud.patience.tries)
        return loop

    def _work(self, order: WorkOrder) -> tuple[FetchedInputs, StageWork]:
        previous = read_previous(self.cloud.results, order)
        sources = sources_of(order, previous, self.cloud.raw, self.cloud.results)
        inputs = FetchedInputs(sources, self.scratch / "inputs", lambda: self.stop.requested)
        self.inputs = inputs
        fetching = self.references
        self.sign.moving = lambda: (inputs.fetching, fetching.there, self.cloud.patience.tries)
        means = build_stage.Means(
            inputs=inputs,
            previous=previous,
            references_root=self._references(order),
            scratch=self.scratch,
            basecaller=self.settings.basecaller,
            stopped=lambda: self.stop.requested,
            threads=cores(),
            unit_reads=self.settings.unit_reads,
        )
        return inputs, self.build(order, means)

    def _references(self, order: WorkOrder) -> Path:
        """The folder with the stage's bundle; a stage that reads none needs none."""
        folder = self.settings.references
        if set(order.phases) == {Phase.BASECALLING}:
            return folder
        return placed(
            order.bundle,
            order.bundle_sha256,
            root=folder,
            cache=self.settings.scratch / "references",
            bucket=self.cloud.bundles,
            progress=self.references,
        )

    def _checkpoint(
        self, work: StageWork, record: StageRecord, attempts: tuple[str, ...]
    ) -> Checkpoint:
        """Our own checkpoint, which resumes from those of the instances that the order names:
        checkpoints elsewhere are not trusted."""
        from porewatch_worker.instance.service_outages import PatientCheckpoints  # noqa: PLC0415

        fingerprint, bucket = work.fingerprint(), self.cloud.results.bucket
        own, *earlier = (
            PatientCheckpoints.below(
                bucket, s3_keys.checkpoint_prefix(attempt, fingerprint), self.cloud.patience
            )
            for attempt in (self.who.prefix, *attempts)
        )
        return open_checkpoint(own, fingerprint, self.who.epoch, record.blameless, earlier)
