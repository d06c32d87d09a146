"""The clock of report_generator copies each day's record to where it is locked, if there is one."""

from __future__ import annotations

import json
from pathlib import Path

import boto3
import pytest

from porewatch.adapters.audit.anchors import Anchors
from porewatch.adapters.audit.locked_anchors import LockedAnchors
from porewatch.adapters.table import Table
from porewatch.settings import settings
from tests.functional.doors import Context, door
from tests.mocked import make_audit_key

CLOCK = json.loads(Path("events/functions/report_generator.clock.json").read_text())


@pytest.mark.parametrize("bucket", ["anchors", ""])
def test_each_days_record_is_copied_within_the_hour(
    cloud: Table, monkeypatch: pytest.MonkeyPatch, bucket: str
) -> None:
    s3 = boto3.client("s3")
    where = {"LocationConstraint": s3.meta.region_name}
    s3.create_bucket(
        Bucket="anchors", ObjectLockEnabledForBucket=True, CreateBucketConfiguration=where
    )
    make_audit_key()
    monkeypatch.setenv("ANCHORS_BUCKET", bucket)
    settings.cache_clear()
    for _ in range(2):
        door("report_generator")(CLOCK, Context())
    (day,) = Anchors(cloud, settings().stack_name, settings().audit_key_arn).days()
    expected = {day.day: day.digest()} if bucket else {}
    assert LockedAnchors("anchors").digests() == expected
