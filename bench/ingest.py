"""Objects a second from S3 to the ledger: event, rule, queue, validator, conditional write.

No peer does the same, so the yardstick is the floor of the same machine: the plain uploads alone.
"""

from __future__ import annotations

import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from isal import igzip

from bench import small_files
from bench.pairs import Pair
from porewatch.adapters.ledger.intake_counters import Intake
from porewatch_cli.stack import Stack, find_stack
from porewatch_local.embedded.session import session

OBJECTS = 1000
UPLOADERS = 16
PATIENCE_SECONDS = 600.0
"""The engine starts a process for every call that comes at once: on a busy machine that takes."""


def measure(folder: Path, pairs: int) -> list[Pair]:
    """Puts OBJECTS small FASTQ files and waits until the ledger knows each of them; then comes a
    whole run of small files."""
    with session() as home:
        stack = find_stack(folder=home.root)
        _ingest(stack, 20)  # warm the functions
        uploads, total = _ingest(stack, OBJECTS)
        runs = small_files.rows(stack, home, folder)
    return [
        Pair(
            what="S3 to ledger, per object",
            ours=total / OBJECTS,
            theirs=uploads / OBJECTS,
            ratio=uploads / total,
            lowest=uploads / total,
            highest=uploads / total,
            peer="the uploads alone",
            note=f"{OBJECTS} objects in {total:.1f} s: {OBJECTS / total:.0f} a second",
        ),
        *runs,
    ]


def _ingest(stack: Stack, objects: int) -> tuple[float, float]:
    """(seconds of the uploads, seconds until all are in the ledger)."""
    run_id = f"bench-{uuid.uuid4().hex[:8]}"
    body = igzip.compress(b"@r1\nACGTACGTAC\n+\nIIIIIIIIII\n")
    bucket = stack.output("RawBucketName")
    start = time.perf_counter()

    def put(number: int) -> None:
        key = f"runs/{run_id}/fastq/{number:05d}.fastq.gz"
        stack.s3.put_object(Bucket=bucket, Key=key, Body=body)

    with ThreadPoolExecutor(UPLOADERS) as pool:
        list(pool.map(put, range(objects)))
    uploaded = time.perf_counter() - start
    counts = Intake(stack.table)
    while (there := sum(counts.recorded(run_id).values())) < objects:
        if time.perf_counter() - start > PATIENCE_SECONDS:
            raise RuntimeError(f"only {there} of {objects} arrived")
        time.sleep(0.1)
    return uploaded, time.perf_counter() - start
