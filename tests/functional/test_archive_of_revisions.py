"""Results of several revisions of a run: doors, archiver and clock judge each by its own end. And
how fast what comes back together is asked for."""

# ruff: noqa: F811

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from unittest.mock import patch

import boto3
import pytest
from botocore.client import BaseClient

from porewatch.adapters.archive.archive_ledger import ArchiveLedger
from porewatch.adapters.items import run_key
from porewatch.adapters.ledger.run_moves import ARCHIVE, move_run
from porewatch.adapters.ledger.runs import RunLedger
from porewatch.adapters.people.entitlements import Entitlements
from porewatch.adapters.table import Table
from porewatch.domain import s3_keys
from porewatch.domain.archive.artefact import SMALLEST
from porewatch.domain.facts.run_facts import RunCompleted, RunHeld
from porewatch.domain.records.retention_record import Hold
from porewatch.domain.records.run_record import RunRecord
from porewatch.domain.runs import RunState
from porewatch.domain.tiers.tier import TierName
from porewatch.usecases.views.show_storage import StorageSources, show_storage
from tests.functional.doors import fact_event
from tests.functional.test_archiver import (
    BULKY,
    CONTENT,
    OUTPUT,
    RUN,
    USER,
    Clock,
    clock,  # noqa: F401 - a fixture
    deliver,
    pays,
    queue,  # noqa: F401 - a fixture
    restored,
    run,  # noqa: F401 - a fixture
    storage_class,
    sweep,
)

NEWER = ("reports", s3_keys.report_key(RUN, 2, "tables.zip"))


@pytest.fixture
def two(run: RunRecord, clock: Clock, cloud: Table) -> RunRecord:
    """Revision 2 was completed ten days after revision 1, of which facts alone are left."""
    fact = RunCompleted(
        fact_id=RunCompleted.id_of(RUN, 1), run_id=RUN, revision=1, at=clock.at, findings=0,
        cost_usd=0.1, report_keys=run.report_keys,
    )  # fmt: skip
    cloud.record([fact])
    clock.days(10)
    boto3.client("s3").put_object(Bucket=NEWER[0], Key=NEWER[1], Body=CONTENT)
    under_way = {"state": RunState.RUNNING, "revision": 2, "completed_at": None, "standing": run}
    move_run(cloud, RUN, lambda _: (run.model_copy(update=under_way), ()))
    done = {"revision": 2, "completed_at": clock.at, "report_keys": {"tables.zip": NEWER[1]}}
    return move_run(cloud, RUN, lambda _: (run.model_copy(update=done), ()))


def refused(record: RunRecord, revision: int, at: datetime, cloud: Table) -> bool:
    """Whether the door to the tables of a revision is closed."""
    sources = StorageSources(Entitlements(Table("people")), ArchiveLedger(cloud), TierName.FREE)
    of = RunLedger(cloud).revision(RUN, revision)
    shown = show_storage(record, of.report_keys, sources=sources, at=at, of=of)
    return shown.of("tables.zip").refused is not None


def test_an_older_revision_is_archived_when_its_own_door_closes(
    two: RunRecord, clock: Clock, cloud: Table
) -> None:
    clock.days(3.9)
    sweep()
    deliver()
    assert not refused(two, 1, clock.at, cloud)
    assert storage_class(BULKY) == "STANDARD"
    clock.days(0.2)
    sweep()
    assert deliver() == []
    assert (refused(two, 1, clock.at, cloud), refused(two, 2, clock.at, cloud)) == (True, False)
    classes = [storage_class(place) for place in (BULKY, OUTPUT, NEWER)]
    assert classes == ["GLACIER", "GLACIER", "STANDARD"]
    kind = cloud.need(run_key(RUN), ARCHIVE).kind or pytest.fail("it is looked at again")
    closes = (two.completed_at or clock.at) + timedelta(days=14)
    assert kind[1] <= f"{closes:%Y-%m-%dT%H:%M:%SZ}#{RUN}", "when the newer one closes, or before"
    clock.days(10)
    sweep()
    assert deliver() == []
    assert refused(two, 2, clock.at, cloud) and storage_class(NEWER) == "GLACIER"


@pytest.mark.parametrize("why", ["upgrade", "hold"])
def test_many_small_results_come_back_at_the_price_of_the_standard_tier(
    run: RunRecord, clock: Clock, cloud: Table, why: str
) -> None:
    s3, many = boto3.client("s3"), 6
    for number in range(many):
        key = f"runs/{RUN}/r1/screen/e1/AROA:i-1/outputs/part-{number}.bin"
        s3.put_object(Bucket="results", Key=key, Body=b"x" * SMALLEST)
    clock.days(15)
    sweep()
    deliver()
    assert len(list(ArchiveLedger(cloud).all_away(USER))) == many + 2
    asked: list[str] = []
    whole = BaseClient._make_api_call  # type: ignore[attr-defined]

    def heard(self: Any, operation: str, sent: Any) -> Any:
        if operation == "RestoreObject":
            asked.append(sent["RestoreRequest"]["GlacierJobParameters"]["Tier"])
        return whole(self, operation, sent)

    with patch.object(BaseClient, "_make_api_call", heard):
        if why == "upgrade":
            assert deliver(pays(TierName.PREMIUM, clock.at)) == []
        else:
            by: dict[str, Any] = {"by": "M. Sato", "reason": "complaint", "at": clock.at}
            move_run(cloud, RUN, lambda _: (run.model_copy(update={"hold": Hold(**by)}), ()))
            fact = RunHeld(fact_id="RunHeld:1", run_id=RUN, **by)
            assert deliver(fact_event("RunHeld", fact.model_dump(mode="json"))) == []
    assert asked == ["Standard"] * (many + 2)
    assert deliver(restored(BULKY)) == [] and storage_class(BULKY) == "STANDARD"
