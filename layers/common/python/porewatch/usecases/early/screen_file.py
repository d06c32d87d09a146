"""Screen one sound file for severe members, and raise an alert when the rule is met.

    what is it, whose, is it to be screened -> count its reads -> keep the counts, then the evidence
    -> is a severe member to be judged? -> the rule over the counts of all files -> alerts

Each step can be repeated: counts of a file are the same bytes, evidence counts once, an alert is
raised once. So after a crash at any line the message's next delivery does the rest. The report is
made from the whole pass alone; it confirms or withdraws what is suspected here.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, NamedTuple, Protocol

from porewatch.domain import s3_keys
from porewatch.domain.calls.alarm_rule import Alarm
from porewatch.domain.calls.alert_part import alert_ref
from porewatch.domain.early.evidence import (
    NO_BARCODE,
    EarlyFile,
    Severe,
    barcodes_of,
    to_judge,
)
from porewatch.domain.errors import AlreadyDone, NotFound
from porewatch.domain.facts.alert_facts import PathogenSuspected
from porewatch.domain.inputs.landing.sorting import Door, sort_out
from porewatch.domain.records.file_record import FileRecord, FileState
from porewatch.domain.records.run_record import RunRecord
from porewatch.domain.runs import (
    FINAL_STATES,
    GONE_STATES,
    InputFile,
    ReadKind,
    RunManifest,
    Sample,
)
from porewatch.domain.sealing import input_file, samples_of
from porewatch.usecases.alerts.settle_alerts import settle_by_run, suspicion_id

if TYPE_CHECKING:
    from porewatch.adapters.early.early_evidence import EarlyEvidence
    from porewatch.adapters.ledger.alerts import AlertLedger
    from porewatch.adapters.ledger.runs import RunLedger
    from porewatch.adapters.objects import Objects
    from porewatch.adapters.s3.bundle_store import BundleStore
    from porewatch.adapters.s3.manifests import Manifests

MOST_BYTES = 1 << 30
"""Of a file that is screened as it lands: a function has no more disk, and 15 minutes. MinKNOW
writes files of 4,000 reads; larger ones wait for the whole pass."""
SHEET = "sample_sheet.csv"
KINDS = (ReadKind.FASTQ, ReadKind.BAM)
_log = logging.getLogger(__name__)


class Counted(NamedTuple):
    """Counts of a file, packed; `severe`: reads by (sample, code)."""

    content: bytes
    reads: int
    bases: int
    severe: Mapping[tuple[str, str], int]


class Screener(Protocol):
    """Counts reads, and asks the rule (the worker's), with one alert part."""

    least_reads: int
    sha256: str

    def count(self, file: InputFile, key: str, samples: Sequence[Sample]) -> Counted:
        """The reads of an object of the raw bucket. Raises InputRefused."""

    def suspected(
        self, counts: Iterable[bytes], files: Sequence[EarlyFile], samples: Sequence[Sample]
    ) -> tuple[Alarm, ...]:
        """Alarms over the counts of these files."""


@dataclass(frozen=True)
class EarlyContext:
    """`screener`: with the alert part `ref` of this digest; `default_bundle`: of runs that name
    none; `asked_bundle`: what a run was registered with, before its seal."""

    runs: RunLedger
    manifests: Manifests
    alerts: AlertLedger
    evidence: EarlyEvidence
    raw: Objects
    results: Objects
    bundles: BundleStore
    screener: Callable[[str, str], Screener]
    default_bundle: Callable[[], str]
    asked_bundle: Callable[[str], str | None]
    clock: Callable[[], datetime]


@dataclass(frozen=True)
class _Run:
    """As it is known while files land. `revision`: the one that its suspicions belong to."""

    run_id: str
    revision: int
    bundle: str | None
    samples: tuple[Sample, ...] | None
    manifest: RunManifest | None


def screen_file(run_id: str, path: str, context: EarlyContext) -> None:
    """Idempotent. Nothing is done for files that are not to be screened, and for runs that have
    ended. Raises what is retried."""
    record, checked = context.runs.find(run_id), context.runs.file(run_id, path)
    if checked is None or not _to_screen(record, checked):
        return
    run = _as_known(run_id, record, context)
    stored = context.bundles.find(alert_ref(run.bundle or context.default_bundle()))
    if stored is None:
        _log.info("run %s: no alert part of its bundle was pushed", run_id)
        return
    file = _file_of(run, checked)
    if file is None:
        _log.info("%s of run %s is left out of it", path, run_id)
        return
    screener = context.screener(stored.ref, stored.sha256)
    samples = run.samples or samples_of([file], run_id)
    _count(file, checked, samples, screener, context)
    _judge(run, screener, context)


def _to_screen(record: RunRecord | None, checked: FileRecord) -> bool:
    over = record is not None and record.state in FINAL_STATES | GONE_STATES
    sound = checked.state is FileState.VALID and not checked.empty and checked.kind in KINDS
    if sound and checked.size > MOST_BYTES:
        _log.info("%s is too large to be screened as it lands", checked.path)
    return sound and not over and checked.size <= MOST_BYTES


def _as_known(run_id: str, record: RunRecord | None, context: EarlyContext) -> _Run:
    revision = record.revision if record else 0
    if record is not None and record.manifest_digest:
        manifest = context.manifests.of(run_id, revision)
        return _Run(run_id, revision, manifest.bundle, manifest.samples, manifest)
    bundle = context.asked_bundle(run_id)
    return _Run(run_id, revision, bundle, _by_sheet(run_id, context.raw), None)


def _by_sheet(run_id: str, raw: Objects) -> tuple[Sample, ...] | None:
    """Samples of the sheet that lies there; None: there is none, or it is not understood yet."""
    try:
        content = raw.get(s3_keys.raw_key(run_id, SHEET))
    except NotFound:
        return None
    door = Door(sizes={SHEET: len(content)}, text=lambda _: content, sheet=(SHEET, content))
    return sort_out(door).samples


def _file_of(run: _Run, checked: FileRecord) -> InputFile | None:
    """The file as it stands in the manifest, or would. None: it is left out."""
    if run.manifest is not None:
        return next((f for f in run.manifest.files if f.lies_at == checked.path), None)
    door = Door(sizes={checked.path: checked.size}, text=lambda _: b"")
    found = sort_out(door)
    place = found.reads.get(checked.path)
    if place is None:
        return None
    known = found.barcodes.get(checked.path) or _only(checked.barcodes)
    made = input_file(place, checked.size, checked.sha256, barcode=known, at=checked.path)
    return made.model_copy(update={"version": checked.version})


def _only(barcodes: Mapping[str, int]) -> str | None:
    return next(iter(barcodes)) if len(barcodes) == 1 else None


def _count(
    file: InputFile,
    checked: FileRecord,
    samples: Sequence[Sample],
    screener: Screener,
    context: EarlyContext,
) -> None:
    run_id = checked.run_id
    known = context.evidence.file(run_id, file.path)
    if known is not None and known.etag == checked.etag:
        return
    found = screener.count(file, s3_keys.raw_key(run_id, checked.path), samples)
    key = s3_keys.early_key(run_id, file.path, checked.etag)
    try:
        context.results.put_new(key, found.content)
    except AlreadyDone:
        _log.info("%s was counted before", file.path)
    barcodes = barcodes_of(samples)
    context.evidence.add(
        EarlyFile(
            run_id=run_id,
            file=file,
            etag=checked.etag,
            bundle_sha256=screener.sha256,
            reads=found.reads,
            bases=found.bases,
            severe=tuple(
                Severe(barcodes[name], code, reads)
                for (name, code), reads in sorted(found.severe.items())
            ),
            screened_at=context.clock(),
        )
    )


def _judge(run: _Run, screener: Screener, context: EarlyContext) -> None:
    """Ask the rule when a severe member has become worth it."""
    totals = context.evidence.totals(run.run_id)
    if not to_judge(totals, (), screener.least_reads):
        return  # as for most files: without a look at the alerts that were raised
    barcodes = {run.run_id: NO_BARCODE, **barcodes_of(run.samples or ())}
    raised = [
        (barcodes.get(alert.sample, alert.sample), alert.code)
        for alert in context.alerts.of_run(run.run_id)
        if alert.revision == run.revision
    ]
    due = to_judge(totals, raised, screener.least_reads)
    if not due:
        return
    for alarm in _suspected(run, screener, context):
        _raise(run, alarm, context)
    context.evidence.judged(run.run_id, totals, due)


def _suspected(run: _Run, screener: Screener, context: EarlyContext) -> tuple[Alarm, ...]:
    files = [
        one for one in context.evidence.files(run.run_id) if one.bundle_sha256 == screener.sha256
    ]
    samples = run.samples or samples_of([one.file for one in files], run.run_id)
    counts = (
        context.results.get(s3_keys.early_key(run.run_id, one.file.path, one.etag)) for one in files
    )
    return screener.suspected(counts, files, samples)


def _raise(run: _Run, alarm: Alarm, context: EarlyContext) -> None:
    at = context.clock()
    context.alerts.raise_alert(
        PathogenSuspected(
            fact_id=suspicion_id(run.run_id, run.revision, alarm.sample, alarm.code),
            run_id=run.run_id,
            revision=run.revision,
            at=at,
            **alarm.model_dump(mode="json"),
        )
    )
    settle_by_run(
        run.run_id,
        run.revision,
        runs=context.runs,
        alerts=context.alerts,
        results=context.results,
        at=at,
    )
