"""After a crash of the engine: how old its state is, and which runs have files but no record.

The engine writes its state every half minute (`patches/regular_snapshot`) and S3 its objects at
once, so that a run whose first file came in the last half minute may lie in the bucket unknown.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from porewatch_local.embedded.clients import client
from porewatch_local.paths import (
    Home,
    LocalStack,
)

MARKER = "running-since"
"""In the engine's state folder while it runs: there after a crash, gone after a clean stop."""


@dataclass(frozen=True)
class UncleanStop:
    """The engine was not stopped but ended: `written_at` is the moment of the state it has now."""

    written_at: datetime | None

    def message(self) -> str:
        """One sentence for the user who starts it again."""
        when = f"{self.written_at:%H:%M:%S} UTC" if self.written_at else "its first minute"
        return f"the engine was not stopped cleanly; what happened after {when} is lost"


def unclean_stop(home: Home) -> UncleanStop | None:
    """What the last engine left; call it before the next one starts. None after a clean stop."""
    folder = home.state / "engine"
    if not (folder / MARKER).exists():
        return None
    written = [path.stat().st_mtime for path in folder.glob("*.json")]
    return UncleanStop(datetime.fromtimestamp(max(written), UTC) if written else None)


def unknown_runs(stack: LocalStack) -> list[str]:
    """Ids of runs that have files in the raw bucket and no record in the ledger."""
    bucket, table = stack.outputs.get("RawBucketName"), stack.outputs.get("LedgerTable")
    if not bucket or not table:
        return []
    dynamodb = client(stack, "dynamodb")
    pages = client(stack, "s3").get_paginator("list_objects_v2")
    found = []
    for page in pages.paginate(Bucket=bucket, Prefix="runs/", Delimiter="/"):
        for folder in page.get("CommonPrefixes", []):
            run_id = folder["Prefix"].split("/")[1]
            response = dynamodb.query(
                TableName=table,
                KeyConditionExpression="pk = :pk",
                ExpressionAttributeValues={":pk": {"S": f"RUN#{run_id}"}},
                Limit=1,
            )
            if not response["Items"]:
                found.append(run_id)
    return found
