"""A tar creates and changes objects and records of its own run only, whatever that run is doing."""

from __future__ import annotations

import gzip
import hashlib
import unicodedata
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from itertools import cycle, product
from typing import IO, Any

import boto3
import pytest

from porewatch.adapters.ledger.retention import Endings
from porewatch.adapters.ledger.runs import RunLedger
from porewatch.adapters.objects import PART, Objects
from porewatch.adapters.s3.versions import Versions
from porewatch.adapters.table import Table
from porewatch.domain import s3_keys
from porewatch.domain.errors import AlreadyDone, Unavailable
from porewatch.domain.rules import run_endings
from porewatch.domain.rules.cancelling import Cancel
from porewatch.domain.rules.run_seals import Refusing
from porewatch.domain.runs import RunManifest, RunState
from porewatch.domain.sealing import input_file, seal
from porewatch.usecases.retention.find_versions import Shelves
from tests.functional.conftest import Runs
from tests.functional.doors import keys, put, send
from tests.functional.test_bundle_unpacker import CHANGED, GOOD, a_tar

AT = datetime(2026, 3, 1, tzinfo=UTC)
PATH = "fastq/a.fastq.gz"
KEY = f"runs/victim/{PATH}"
EQUAL = gzip.compress(gzip.decompress(GOOD).replace(b"@r1", b"@r2"))
assert len(EQUAL) == len(GOOD) and EQUAL != GOOD
RUBBISH = b"this is not a tar" * 100


def manifest(content: bytes = GOOD, run_id: str = "victim", path: str = PATH) -> RunManifest:
    file = input_file(path, len(content), hashlib.sha256(content).hexdigest())
    return seal([file], run_id=run_id, created_at=AT)


def own(content: bytes = EQUAL, run_id: str = "victim", path: str = PATH) -> bytes:
    """A tar whose run.json names a run."""
    text = manifest(content, run_id, path).canonical_json().encode()
    return a_tar(("run.json", text), (path, content))


def received() -> None:
    assert send("fastq_validator", put(KEY, GOOD)) == []


def sealed() -> None:
    """Its one file was replaced and is checked again: it cannot start."""
    received()
    put(KEY, GOOD + b"")
    content = manifest().canonical_json().encode()
    put(KEY, gzip.compress(b"@r5\nA\n+\nI\n"))
    put("runs/victim/run.json", content)
    RunLedger(Table("ledger")).seal(manifest(), sealed_by="run.json", at=AT)


def running() -> None:
    received()
    put_seal = put("runs/victim/run.json", manifest().canonical_json().encode())
    assert send("pipeline_orchestrator", put_seal) == []


def completed() -> None:
    running()
    keys_of = {"report.json": "runs/victim/r0/report.json"}
    ledger = RunLedger(Table("ledger"))
    ledger.apply(
        "victim", run_endings.complete, 0, report_keys=keys_of, findings=2, cost_usd=1.0, at=AT
    )


def failed() -> None:
    running()
    failure: Any = {"stage": "s", "error": "WorkerFailed", "problem": "p", "refused": False}
    RunLedger(Table("ledger")).apply("victim", run_endings.fail, 0, **failure, at=AT)


def cancelled() -> None:
    running()
    order = Cancel(run_id="victim", by="me", reason="r")
    RunLedger(Table("ledger")).apply("victim", run_endings.cancel, order, AT)


def refused() -> None:
    received()
    content = manifest(path="fastq/none.fastq.gz").canonical_json().encode()
    assert send("pipeline_orchestrator", put("runs/victim/run.json", content)) == []


STATES: dict[RunState, Callable[[], None]] = {
    RunState.RECEIVING: received,
    RunState.SEALED: sealed,
    RunState.RUNNING: running,
    RunState.COMPLETED: completed,
    RunState.FAILED: failed,
    RunState.CANCELLED: cancelled,
    RunState.REFUSED: refused,
}


def versions() -> list[tuple[str, str]]:
    """Every version of every object of the run."""
    found = boto3.client("s3").list_object_versions(Bucket="raw", Prefix="runs/victim/")
    return [(v["Key"], v["VersionId"]) for v in found.get("Versions", [])]


TARS = {
    "rubbish": ("inbox/victim.tar", RUBBISH),
    "equal size": ("inbox/harmless.tar", own(EQUAL)),
    "same content": ("inbox/harmless.tar", own(GOOD)),
    "another file": ("inbox/harmless.tar", own(EQUAL, path="fastq/b.fastq.gz")),
}
QUICK = {*zip(STATES, cycle(TARS), strict=False), (RunState.RUNNING, "equal size")}
"""Every state and every tar; all pairs are slow."""


@pytest.mark.parametrize(
    ("state", "tar"),
    [
        pair if pair in QUICK else pytest.param(*pair, marks=pytest.mark.slow)
        for pair in product(STATES, TARS)
    ],
)
def test_a_tar_that_is_not_the_runs_changes_nothing_of_it(
    cloud: Table, runs: Runs, state: RunState, tar: str
) -> None:
    key, content = TARS[tar]
    STATES[state]()
    record, lying = runs.get("victim"), versions()
    assert record.state is state
    event = put(key, content)
    for _ in range(2):
        assert send("bundle_unpacker", event) == []
    assert runs.get("victim") == record
    assert versions() == lying
    assert keys("quarantine/") == [f"quarantine/{key}", f"quarantine/{key}.reason.txt"]
    if key == "inbox/victim.tar":
        [answer] = runs.answers("victim")
        assert answer.act and "the tar was refused" in answer.problem
    else:
        problem = str(runs.get("harmless").problem)
        assert "names run victim, which is there already and is not this tar's" in problem


def test_a_run_that_only_lies_in_the_bucket_is_somebody_elses_too(cloud: Table) -> None:
    put(KEY, GOOD)
    lying = versions()
    assert send("bundle_unpacker", put("inbox/harmless.tar", own())) == []
    assert versions() == lying


def test_a_tar_of_the_runs_name_with_another_file_of_equal_size_is_refused(
    cloud: Table, runs: Runs
) -> None:
    received()
    lying = versions()
    assert send("bundle_unpacker", put("inbox/victim.tar", a_tar((PATH, EQUAL)))) == []
    assert versions() == lying
    assert runs.get("victim").state is RunState.RECEIVING
    assert "is receiving other files (fastq/a.fastq.gz)" in runs.answers("victim")[0].problem


def test_what_lies_there_already_is_taken_as_delivered(cloud: Table, runs: Runs) -> None:
    received()
    assert send("bundle_unpacker", put("inbox/victim.tar", a_tar((PATH, GOOD)))) == []
    assert [key for key, _ in versions()] == [KEY, "runs/victim/run.json"]


@pytest.mark.parametrize("ended", [completed, failed, cancelled])
def test_other_content_is_the_next_revision_beside_the_old(
    cloud: Table, runs: Runs, ended: Callable[[], None]
) -> None:
    ended()
    assert send("bundle_unpacker", put("inbox/victim.tar", a_tar((PATH, EQUAL)))) == []
    assert Objects("raw").get(KEY) == GOOD
    assert [key for key, _ in versions()].count(KEY) == 1
    sha256 = hashlib.sha256(EQUAL).hexdigest()
    assert Objects("raw").get(f"runs/victim/content/{sha256[:32]}/{PATH}") == EQUAL


def test_a_foreign_run_json_on_the_way_is_not_overwritten(cloud: Table, runs: Runs) -> None:
    """Another door has sealed the run, and its event has not come yet."""
    put("runs/victim/run.json", manifest().canonical_json().encode())
    lying = versions()
    assert send("bundle_unpacker", put("inbox/victim.tar", a_tar((PATH, EQUAL)))) == []
    assert versions() == lying


def test_a_file_that_comes_while_the_tar_is_unpacked_stays(
    cloud: Table, runs: Runs, monkeypatch: pytest.MonkeyPatch
) -> None:
    upload = Objects.stream_new

    def late(self: Objects, key: str, content: IO[bytes], *, sha256: str) -> None:
        with ThreadPoolExecutor(1) as somebody:
            somebody.submit(put, key, GOOD).result()
        upload(self, key, content, sha256=sha256)

    monkeypatch.setattr(Objects, "stream_new", late)
    assert send("bundle_unpacker", put("inbox/victim.tar", a_tar((PATH, EQUAL)))) == []
    assert Objects("raw").get(KEY) == GOOD
    assert "runs/victim/run.json" not in keys("runs/")
    reason = Objects("raw").get("quarantine/inbox/victim.tar.reason.txt").decode()
    assert "another file came there while the tar was unpacked" in reason


def test_a_run_that_is_sealed_while_its_tar_is_unpacked_keeps_its_seal(
    cloud: Table, runs: Runs, monkeypatch: pytest.MonkeyPatch
) -> None:
    theirs = manifest(run_id="victim", path="fastq/z.fastq.gz").canonical_json().encode()
    write = Objects.put_new

    def late(self: Objects, key: str, content: bytes, *more: Any) -> str:
        if key == s3_keys.seal_key("victim"):
            with ThreadPoolExecutor(1) as somebody:
                somebody.submit(put, key, theirs).result()
        return write(self, key, content, *more)

    monkeypatch.setattr(Objects, "put_new", late)
    event = put("inbox/victim.tar", a_tar((PATH, EQUAL)))
    assert send("bundle_unpacker", event) == ["m0"], "it comes again, and is judged again"
    assert send("bundle_unpacker", event) == []
    assert Objects("raw").get(s3_keys.seal_key("victim")) == theirs


def test_names_that_only_look_the_same_are_not_mixed(cloud: Table, runs: Runs) -> None:
    apart = unicodedata.normalize("NFD", "fastq/é.fastq.gz")
    put(f"runs/victim/{apart}", GOOD)
    lying = versions()
    tar = a_tar((unicodedata.normalize("NFC", apart), EQUAL))
    assert send("bundle_unpacker", put("inbox/victim.tar", tar)) == []
    assert versions() == lying


def test_a_tar_goes_on_with_the_run_that_it_made(cloud: Table, runs: Runs) -> None:
    for content in (GOOD, CHANGED):
        assert send("bundle_unpacker", put("inbox/any.tar", own(content, "named-inside"))) == []
        files = [k for k in keys("runs/named-inside/") if k.endswith("gz")]
        boto3.client("s3").head_object(Bucket="raw", Key=files[-1])
        manifest = Objects("raw").get_json(s3_keys.seal_key("named-inside"), RunManifest)
        runs.seal(manifest, sealed_by="bundle", at=AT)
        runs.refuse("named-inside", digest=manifest.digest(), what=Refusing("p", ()), at=AT)
    assert runs.get("named-inside").revision == 1
    assert runs.find("any") is None


def test_a_tar_is_held_and_deleted_with_the_run_that_it_became(cloud: Table, runs: Runs) -> None:
    """Not with the one that it is named after, which may be quite another client's."""
    assert send("bundle_unpacker", put("inbox/any.tar", own(GOOD, "named-inside"))) == []
    runs.receive("any", AT)
    buckets = {name: Versions(name) for name in ("raw", "results", "reports")}
    finder = Shelves(**buckets, endings=Endings(cloud))

    def tars(run_id: str) -> set[str]:
        return {v.key for _, _, some in finder.of(run_id) for v in some if v.key.endswith(".tar")}

    assert tars("named-inside") == {"inbox/any.tar"}
    assert tars("any") == set()
    endings = Endings(cloud)
    endings.erase("any", list(endings.left("any")))  # the sweep after a deletion still knows it
    assert tars("any") == set()


def test_files_without_checksum_in_run_json_are_kept_apart_by_content(
    cloud: Table, runs: Runs
) -> None:
    failed()
    bare = input_file(PATH, len(EQUAL))
    text = seal([bare], run_id="victim", created_at=AT).canonical_json().encode()
    assert (
        send("bundle_unpacker", put("inbox/victim.tar", a_tar(("run.json", text), (PATH, EQUAL))))
        == []
    )
    (file,) = Objects("raw").get_json(s3_keys.seal_key("victim"), RunManifest).files
    assert file.sha256 == hashlib.sha256(EQUAL).hexdigest()
    assert file.sha256[:32] in file.lies_at


class Stream:
    """A file that can only be read, as a member of a tar is."""

    def __init__(self, content: bytes) -> None:
        self._rest = content

    def read(self, size: int = -1) -> bytes:
        taken, self._rest = self._rest[:size], self._rest[size:]
        return taken


@pytest.mark.parametrize("size", [0, 100, PART, PART * 2 + 5])
def test_a_long_stream_appears_whole_once_or_not_at_all(cloud: Table, size: int) -> None:
    content, raw = b"\x07" * size, Objects("raw")
    sha256 = hashlib.sha256(content).hexdigest()
    with pytest.raises(Unavailable, match="what was to be written has sha256"):
        raw.stream_new("runs/r/x", Stream(content + b"?"), sha256=sha256)  # type: ignore[arg-type]
    assert raw.head("runs/r/x") is None
    raw.stream_new("runs/r/x", Stream(content), sha256=sha256)  # type: ignore[arg-type]
    assert raw.get("runs/r/x") == content
    with pytest.raises(AlreadyDone):
        raw.stream_new("runs/r/x", Stream(content), sha256=sha256)  # type: ignore[arg-type]
    uploads = boto3.client("s3").list_multipart_uploads(Bucket="raw")
    assert "Uploads" not in uploads
