"""The locked copy of each day's record: nobody removes it, and `audit` names another one."""

from __future__ import annotations

from datetime import timedelta

import boto3
import pytest
from botocore.exceptions import ClientError

from porewatch.adapters.audit.locked_anchors import LockedAnchors
from porewatch.adapters.items import run_key
from porewatch.domain.results.audit_anchors import AnchorDay
from porewatch.usecases.results.record_anchors import record_anchors
from porewatch_cli.stack import Stack
from tests.cli.test_anchor import (
    LATER,
    anchors_of,
    audited,
    in_json,
    stack,  # noqa: F401 - a fixture
)

# ruff: noqa: F811 - the fixture
BUCKET, DAYS = "anchors", 3650


@pytest.fixture
def locked(stack: Stack) -> LockedAnchors:
    """As AnchorLockDays makes it, with a copy of every day but the newest."""
    s3 = boto3.client("s3")
    where = {"LocationConstraint": s3.meta.region_name}
    s3.create_bucket(
        Bucket=BUCKET, ObjectLockEnabledForBucket=True, CreateBucketConfiguration=where
    )
    rule = {"DefaultRetention": {"Mode": "COMPLIANCE", "Days": DAYS}}
    s3.put_object_lock_configuration(
        Bucket=BUCKET, ObjectLockConfiguration={"ObjectLockEnabled": "Enabled", "Rule": rule}
    )
    stack.outputs["AnchorsBucketName"] = BUCKET
    made = LockedAnchors(BUCKET)
    record_anchors(anchors_of(stack), lambda: LATER - timedelta(days=2), made)
    record_anchors(anchors_of(stack), lambda: LATER, made)
    return made


def code() -> str:
    return str(in_json()["anchor"]["chain"]["code"])


def rewritten(stack: Stack) -> tuple[AnchorDay, ...]:
    """With the audit key's proofs and write access to the ledger: the whole chain without its
    heads, and the run without its anchor."""
    anchors, before = anchors_of(stack), None
    days = anchors.days()
    stack.table.delete(run_key("run-1"), "ANCHOR#0000")
    for record in days:
        stack.table.delete("AUDIT", f"DAY#{record.day.isoformat()}")
    for record in days:
        previous = before.digest() if before else record.previous
        anchors.keep_day(record.model_copy(update={"heads": (), "previous": previous}))
        before = anchors.last_day()
    return anchors.days()


def test_every_day_is_copied_once_and_agrees(stack: Stack, locked: LockedAnchors) -> None:
    days = anchors_of(stack).days()
    assert len(days) == 3
    record_anchors(anchors_of(stack), lambda: LATER, locked)
    assert locked.digests() == {day.day: day.digest() for day in days}
    assert code() == "recorded"
    s3 = boto3.client("s3")
    (version,) = s3.list_object_versions(Bucket=BUCKET, Prefix="days/2026-03-02")["Versions"]
    with pytest.raises(ClientError, match="AccessDenied"):
        s3.delete_object(Bucket=BUCKET, Key=version["Key"], VersionId=version["VersionId"])


def test_audit_names_a_day_that_was_signed_again_over_its_copy(
    stack: Stack, locked: LockedAnchors
) -> None:
    changed = rewritten(stack)
    assert len(changed) == 3 and not any(day.heads for day in changed)
    del stack.outputs["AnchorsBucketName"]
    assert code() == "not_named", "without a copy such a chain is sound in itself"
    stack.outputs["AnchorsBucketName"] = BUCKET
    assert code() == "chain_not_the_locked_copy"
    exit_code, said = audited()
    assert exit_code == 1
    assert "the record of 2026-03-02 is not its locked copy" in said


def test_a_version_that_is_written_over_a_copy_does_not_count(
    stack: Stack, locked: LockedAnchors
) -> None:
    for day in rewritten(stack):
        key = f"days/{day.day.isoformat()}.json"
        boto3.client("s3").put_object(Bucket=BUCKET, Key=key, Body=day.canonical_json().encode())
    boto3.client("s3").delete_object(Bucket=BUCKET, Key="days/2026-03-02.json")
    assert code() == "chain_not_the_locked_copy"


def test_audit_names_days_that_were_removed(stack: Stack, locked: LockedAnchors) -> None:
    for day in anchors_of(stack).days():
        stack.table.delete("AUDIT", f"DAY#{day.day.isoformat()}")
    assert code() == "chain_not_the_locked_copy"
