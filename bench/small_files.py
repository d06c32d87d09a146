"""Files a second of a run of many small files: from landing to the seal, and through the worker.

The files have the shape in which MinKNOW leaves them (`fastq_pass/barcodeNN/...`, three reads each,
the final summary last). Landing to seal: the first upload until every file is checked and the
manifest that was made of them has sealed the run. Through the worker: the pass over the reads.
"""

from __future__ import annotations

import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from bench.pairs import Pair
from porewatch.domain import s3_keys
from porewatch.domain.records.run_record import RunRecord
from porewatch.domain.stage.spec import Phase
from porewatch_cli.runs.watch import follow
from porewatch_cli.stack import Stack
from porewatch_local.fault_trials.baseline import manifest_of
from porewatch_local.paths import Home
from porewatch_worker.simulate.demo import make_demo
from porewatch_worker.simulate.small_files import READS_PER_FILE, final_summary, small_files

FILES = 500
UPLOADERS = 8
SCALE = 0.2
PATIENCE_S = 1200.0


def rows(stack: Stack, home: Home, folder: Path) -> list[Pair]:
    """One run of FILES files, from its first upload to its report."""
    demo = make_demo(folder / "small-files", home.references, scale=SCALE)
    run_id = f"bench-{uuid.uuid4().hex[:8]}"
    contents = list(small_files(demo, FILES))
    start = time.perf_counter()
    _put(stack, run_id, "sample_sheet.csv", demo.sample_sheet.read_bytes())
    with ThreadPoolExecutor(UPLOADERS) as hands:
        list(hands.map(lambda one: _put(stack, run_id, *one), contents))
    _put(stack, run_id, *final_summary(demo, FILES))
    sealed = _sealed(stack, run_id, start)
    run = list(follow(run_id, stack, patience=PATIENCE_S))[-1].run
    if run.state.value != "completed":
        raise RuntimeError(f"{run_id} is {run.state.value}: {run.problem}")
    return [
        _row("small files: landing to seal", sealed, "S3, check, ledger, manifest"),
        _row("small files: through the worker", _screening_s(stack, run), "fetch, map, count"),
    ]


def _put(stack: Stack, run_id: str, path: str, content: bytes) -> None:
    key = s3_keys.raw_key(run_id, path)
    stack.s3.put_object(Bucket=stack.output("RawBucketName"), Key=key, Body=content)


def _sealed(stack: Stack, run_id: str, start: float) -> float:
    """Seconds from `start` until the run has its manifest."""
    while (run := stack.runs.find(run_id)) is None or run.manifest_digest is None:
        if time.perf_counter() - start > PATIENCE_S:
            raise RuntimeError(f"{run_id} was not sealed within {PATIENCE_S:.0f} s")
        time.sleep(1)
    return time.perf_counter() - start


def _screening_s(stack: Stack, run: RunRecord) -> float:
    made = manifest_of(stack, run, "screen")
    (done,) = (record for record in made.phases if record.phase is Phase.PATHOGEN_DETECTION)
    return (done.finished_at - done.started_at).total_seconds()


def _row(what: str, seconds: float, parts: str) -> Pair:
    note = (
        f"{FILES} files of {READS_PER_FILE} reads in {seconds:.1f} s: {FILES / seconds:.1f} "
        f"files/s ({parts})"
    )
    return Pair(f"{what}, per file", seconds / FILES, 0, 0, 0, 0, peer="", note=note)
