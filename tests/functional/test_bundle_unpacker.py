"""bundle_unpacker: a tar becomes one run; a bad one leaves itself and the reason, no more."""

from __future__ import annotations

import gzip
import hashlib
import io
import tarfile
import time as moment
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import boto3
import pytest

from porewatch.adapters.ledger.runs import RunLedger
from porewatch.adapters.objects import Objects
from porewatch.adapters.table import Table
from porewatch.domain import s3_keys
from porewatch.domain.base import now
from porewatch.domain.errors import MessageRefused, Refused
from porewatch.domain.identity import Laboratory
from porewatch.domain.rules import run_endings
from porewatch.domain.runs import RunManifest, RunState
from porewatch.domain.sealing import input_file, seal
from porewatch.domain.uploads import run_archives
from porewatch_cli.stack import Stack
from porewatch_cli.submit.submit import submit
from tests.functional.conftest import executions
from tests.functional.doors import created, keys, put, send
from tests.mocked import facts_in

GOOD = gzip.compress(b"@r1\nACGTACGT\n+\nIIIIIIII\n")
OTHER = gzip.compress(b"@r2\nACGTACGA\n+\nIIIIIIII\n")
KEY = "inbox/run-1.tar"
SHEET = b"alias,barcode,type\npig,barcode01,test_sample\nntc,barcode02,no_template_control\n"
Change = Callable[[tarfile.TarInfo], None]


def a_tar(*members: tuple[str, bytes], change: dict[str, Change] | None = None) -> bytes:
    """A tar of (name, content); `change` alters the header of a member."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as tar:
        for name, content in members:
            info = tarfile.TarInfo(name)
            info.size = len(content)
            (change or {}).get(name, lambda _: None)(info)
            tar.addfile(info, io.BytesIO(content) if info.isfile() else None)
    return out.getvalue()


GOOD_TAR = a_tar(
    ("lib/run/fastq_pass/barcode01/a.fastq.gz", GOOD),
    ("lib/run/fastq_pass/barcode02/b.fastq.gz", OTHER),
    ("lib/run/fastq_fail/barcode01/c.fastq.gz", b"whatever"),
    ("lib/run/pod5/signal.pod5", b"raw"),
    ("lib/run/sample_sheet.csv", SHEET),
    ("lib/run/report_FAX1.html", b"<html>"),
    ("lib/run/.DS_Store", b"x"),
    (
        "lib/run/final_summary_FAX1_a_b.txt",
        b"acquisition_run_id=abc\nstarted=2026-02-28T10:00:00+01:00\ninstrument=MN1\n",
    ),
)


def manifest() -> RunManifest:
    return Objects("raw").get_json(s3_keys.seal_key("run-1"), RunManifest)


def test_a_sequencing_folder_as_a_tar_becomes_a_sealed_run(cloud: Table, runs: RunLedger) -> None:
    assert send("bundle_unpacker", put(KEY, GOOD_TAR)) == []
    sealed = manifest()
    assert keys("runs/") == [
        "runs/run-1/fastq/barcode01/a.fastq.gz",
        "runs/run-1/fastq/barcode02/b.fastq.gz",
        "runs/run-1/run.json",
    ]
    assert [f.sha256 for f in sealed.files] == [
        hashlib.sha256(c).hexdigest() for c in (GOOD, OTHER)
    ]
    assert [s.name for s in sealed.samples] == ["pig", "ntc"]
    assert sealed.sequencing.instrument == "MN1"
    assert keys("quarantine/") == []


def test_the_unpacked_run_starts_once_its_files_are_checked(cloud: Table, runs: RunLedger) -> None:
    event = put(KEY, GOOD_TAR)
    for _ in range(3):
        assert send("bundle_unpacker", event) == []
    files = [created(k) for k in keys("runs/") if k.endswith("gz")]
    assert send("fastq_validator", *files) == []
    for _ in range(3):
        assert send("pipeline_orchestrator", created("runs/run-1/run.json")) == []
    assert len(executions()) == 1
    assert "RunSealed" in facts_in(cloud, "run-1")
    assert send("bundle_unpacker", event) == [], "delivered again after the run has started"
    assert runs.get("run-1").state is RunState.RUNNING
    assert keys("quarantine/") == []


def test_a_tar_with_its_own_manifest_is_that_run(cloud: Table) -> None:
    own = seal(
        [input_file("fastq/a.fastq.gz", len(GOOD), hashlib.sha256(GOOD).hexdigest())],
        run_id="run-9",
        created_at=datetime(2026, 3, 1, tzinfo=UTC),
        profile="one-instance-per-phase",
    )
    tar = a_tar(("run.json", own.canonical_json().encode()), ("fastq/a.fastq.gz", GOOD))
    assert send("bundle_unpacker", put(KEY, tar)) == []
    assert keys("runs/") == ["runs/run-9/fastq/a.fastq.gz", "runs/run-9/run.json"]


def test_members_larger_than_a_part_arrive_whole(cloud: Table) -> None:
    import random

    big = random.Random(1).randbytes(20 * 2**20)
    assert send("bundle_unpacker", put(KEY, a_tar(("a.fastq", big)))) == []
    body = boto3.client("s3").get_object(Bucket="raw", Key="runs/run-1/fastq/a.fastq")["Body"]
    assert body.read() == big


def a_link(info: tarfile.TarInfo) -> None:
    info.type, info.linkname, info.size = tarfile.SYMTYPE, "/etc/passwd", 0


def a_hard_link(info: tarfile.TarInfo) -> None:
    info.type, info.linkname, info.size = tarfile.LNKTYPE, "../../x", 0


def a_device(info: tarfile.TarInfo) -> None:
    info.type, info.size = tarfile.CHRTYPE, 0


def a_pipe(info: tarfile.TarInfo) -> None:
    info.type, info.size = tarfile.FIFOTYPE, 0


FASTQ = ("fastq/a.fastq.gz", GOOD)
BOMB = gzip.compress(b"A" * 50_000_000)


def lying_tar() -> bytes:
    """A header that declares far more than follows."""
    whole = bytearray(a_tar(FASTQ))
    info = tarfile.TarInfo("fastq/a.fastq.gz")
    info.size = 10**12
    whole[:512] = info.tobuf(tarfile.GNU_FORMAT)[:512]
    return bytes(whole)


BAD: dict[str, tuple[bytes, str]] = {
    "parent": (a_tar(FASTQ, ("../../evil.fastq", GOOD)), r"\.\./\.\./evil\.fastq: leaves"),
    "hidden parent": (a_tar(FASTQ, ("fastq/../../x.fastq", GOOD)), "leaves its folder"),
    "absolute": (a_tar(FASTQ, ("/etc/x.fastq", GOOD)), "absolute path"),
    "windows": (a_tar(FASTQ, ("C:\\x.fastq", GOOD)), "absolute path"),
    "symlink": (a_tar(FASTQ, ("fastq/l.fastq", b""), change={"fastq/l.fastq": a_link}), "a link"),
    "hard link": (
        a_tar(FASTQ, ("fastq/l.fastq", b""), change={"fastq/l.fastq": a_hard_link}),
        "a link",
    ),
    "device": (a_tar(FASTQ, ("d", b""), change={"d": a_device}), "not an ordinary file"),
    "pipe": (a_tar(FASTQ, ("p", b""), change={"p": a_pipe}), "not an ordinary file"),
    "odd name": (a_tar(FASTQ, ("fastq/\x1b[2J.fastq", GOOD)), "odd name"),
    "double": (a_tar(FASTQ, FASTQ), "in the tar twice"),
    "double by folders": (a_tar(("x/a.fastq", b"1"), ("y/a.fastq", b"1")), "may be of two samples"),
    "gzip bomb": (a_tar(FASTQ, ("fastq/b.fastq.gz", BOMB)), "more than 200 times"),
    "declared bomb": (lying_tar(), "declares 1,000,000,000,000 bytes; the tar has"),
    "cut in a member": (a_tar(("a.fastq", b"x" * 5000))[:2000], "cut short|the tar has"),
    "cut after a member": (a_tar(FASTQ)[:1024], "cut short"),
    "compressed": (gzip.compress(GOOD_TAR), "not a plain tar"),
    "rubbish": (b"this is not a tar" * 100, "not a plain tar"),
    "empty": (b"", "not a plain tar"),
    "no reads": (a_tar(("readme.md", b"hi")), "there are no reads"),
    "fast5": (a_tar(("old/a.fast5", b"x")), "pod5 convert fast5"),
    "empty file": (a_tar(("a.fastq", b"")), "hold no reads"),
    "bad sheet": (a_tar(FASTQ, ("sample_sheet.csv", b"name,barcode\na,bc-x\n")), "line 2.*bc-x"),
    "bad manifest": (a_tar(FASTQ, ("run.json", b"{}")), "run_id is missing"),
    "two manifests": (a_tar(("run.json", b"{}"), ("x/run.json", b"{}")), "second manifest"),
}


@pytest.mark.parametrize("which", BAD)
def test_a_bad_tar_is_set_aside_whole_with_the_reason_and_starts_nothing(
    cloud: Table, runs: RunLedger, which: str
) -> None:
    content, expected = BAD[which]
    event = put(KEY, content)
    for _ in range(2):
        assert send("bundle_unpacker", event) == []
    assert keys("runs/") == [], "nothing of it may lie in a run"
    assert keys("inbox/") == []
    s3 = boto3.client("s3")
    kept = s3.get_object(Bucket="raw", Key=f"quarantine/{KEY}")["Body"].read()
    assert kept == content
    reason = s3.get_object(Bucket="raw", Key=f"quarantine/{KEY}.reason.txt")["Body"].read().decode()
    import re

    assert re.search(expected, reason), reason
    record = runs.get("run-1")
    assert record.state is RunState.REFUSED
    assert record.problem
    assert re.search(expected, record.problem)
    assert facts_in(cloud, "run-1") == ["RunRefused"]
    assert executions() == []


def test_a_tar_that_cannot_be_unpacked_in_time_is_refused_with_the_way_out(
    cloud: Table, runs: RunLedger, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run_archives, "MOST_BYTES", 100)
    send("bundle_unpacker", put(KEY, a_tar(FASTQ)))
    assert "porewatch submit" in str(runs.get("run-1").problem)


def test_too_many_members_are_refused(
    cloud: Table, runs: RunLedger, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run_archives, "MOST_MEMBERS", 3)
    send("bundle_unpacker", put(KEY, a_tar(*[(f"{i}.fastq", b"x") for i in range(5)])))
    assert "is the 4th member; 3 may be" in str(runs.get("run-1").problem)


def test_a_manifest_that_names_what_the_tar_lacks_is_refused(cloud: Table, runs: RunLedger) -> None:
    own = seal(
        [input_file("fastq/b.fastq.gz", 5)],
        run_id="run-1",
        created_at=datetime(2026, 3, 1, tzinfo=UTC),
    )
    send("bundle_unpacker", put(KEY, a_tar(FASTQ, ("run.json", own.canonical_json().encode()))))
    assert "in run.json, but not in the tar" in str(runs.get("run-1").problem)


def test_a_tar_named_like_a_run_that_is_under_way_does_not_touch_it(
    cloud: Table, runs: RunLedger
) -> None:
    send("bundle_unpacker", put(KEY, GOOD_TAR))
    send("fastq_validator", *[created(k) for k in keys("runs/") if k.endswith("gz")])
    send("pipeline_orchestrator", created("runs/run-1/run.json"))
    before = {key: created(key) for key in keys("runs/")}
    send("bundle_unpacker", put(KEY, a_tar(("fastq/z.fastq", b"other"))))
    assert set(keys("runs/")) == set(before)
    assert runs.get("run-1").state is RunState.RUNNING
    reason = Objects("raw").get(f"quarantine/{KEY}.reason.txt").decode()
    assert "run run-1 is running with other content (revision 0) and is not changed" in reason


def test_a_corrected_tar_of_the_same_name_is_taken(cloud: Table, runs: RunLedger) -> None:
    send("bundle_unpacker", put(KEY, BAD["bad sheet"][0]))
    assert runs.get("run-1").state is RunState.REFUSED
    assert send("bundle_unpacker", put(KEY, GOOD_TAR)) == []
    send("fastq_validator", *[created(k) for k in keys("runs/") if k.endswith("gz")])
    send("pipeline_orchestrator", created("runs/run-1/run.json"))
    assert [e["revision"] for e in executions()] == [1]


@pytest.mark.parametrize("name", ["my run", "ü", "-x", "a" * 64])
def test_a_tar_whose_name_is_no_run_id_sends_a_notice_and_is_set_aside(
    cloud: Table, notices: Any, name: str
) -> None:
    assert send("bundle_unpacker", put(f"inbox/{name}.tar", GOOD_TAR)) == ["m0"]
    assert keys("runs/") == []
    assert f"quarantine/inbox/{name}.tar" in keys("quarantine/")
    (mail,) = notices()
    assert "is not a run id" in mail["Message"]


def test_what_the_folders_of_the_key_ask_for_stands_in_the_seal(cloud: Table) -> None:
    key = "inbox/bundle=pig@3/layout=one-instance-per-phase/release-policy=donor-screening/run-1"
    assert send("bundle_unpacker", put(f"{key}.tar", GOOD_TAR)) == []
    sealed = manifest()
    assert sealed.release_policy == "donor-screening"
    assert (sealed.profile, sealed.bundle) == ("one-instance-per-phase", "pig@3")


@pytest.mark.parametrize(
    "folder", ["release-polcy=donor-screening", "release-policy=", "layout=a/layout=b"]
)
def test_a_folder_that_asks_for_what_nobody_knows_is_refused(
    cloud: Table, runs: RunLedger, folder: str
) -> None:
    send("bundle_unpacker", put(f"inbox/{folder}/run-1.tar", GOOD_TAR))
    assert keys("runs/") == []
    assert "release-policy=..." in str(runs.get("run-1").problem)


def test_a_folder_without_an_equals_sign_asks_for_nothing(cloud: Table) -> None:
    assert send("bundle_unpacker", put("inbox/monday/run-1.tar", GOOD_TAR)) == []
    assert manifest().release_policy == "default"


def run_to_its_end(runs: RunLedger) -> None:
    """Files checked, run started, report published."""
    for key in keys("runs/"):
        if key.endswith("gz"):
            send("fastq_validator", created(key))
    assert send("pipeline_orchestrator", created("runs/run-1/run.json")) == []
    revision = runs.get("run-1").revision
    assert runs.get("run-1").state is RunState.RUNNING
    report = {"report.json": f"runs/run-1/r{revision}/report.json"}
    runs.apply(
        "run-1",
        run_endings.complete,
        revision,
        report_keys=report,
        findings=0,
        cost_usd=0,
        at=now(),
    )


CHANGED = gzip.compress(b"@r2\nTTTTACGT\n+\nIIIIIIII\n")
UPDATED = a_tar(
    ("fastq_pass/barcode01/a.fastq.gz", CHANGED),
    ("fastq_pass/barcode02/b.fastq.gz", gzip.compress(b"@r9\nGGGGACGT\n+\nIIIIIIII\n")),
)


@pytest.mark.parametrize("key", [KEY, "anywhere/run-1/input.tar", "runs/run-1/input.tar"])
def test_an_updated_tar_is_the_next_revision_and_overwrites_nothing(
    cloud: Table, runs: RunLedger, key: str
) -> None:
    assert send("bundle_unpacker", put(key, GOOD_TAR)) == []
    run_to_its_end(runs)
    path = "runs/run-1/fastq/barcode01/a.fastq.gz"
    event = put(key, UPDATED)
    for _ in range(2):
        assert send("bundle_unpacker", event) == []
    assert boto3.client("s3").get_object(Bucket="raw", Key=path)["Body"].read() == GOOD
    run_to_its_end(runs)
    run = runs.get("run-1")
    assert (run.revision, run.state) == (1, RunState.COMPLETED)
    (first, _) = manifest().files
    assert first.path == "fastq/barcode01/a.fastq.gz" and first.lies_at != first.path
    body = boto3.client("s3").get_object(Bucket="raw", Key=f"runs/run-1/{first.lies_at}")["Body"]
    assert body.read() == CHANGED
    assert len(executions()) == 2
    assert keys("quarantine/") == []
    assert send("bundle_unpacker", event) == [], "delivered again after its end"
    assert runs.get("run-1").revision == 1


def test_an_identical_tar_starts_nothing_and_that_is_recorded(
    cloud: Table, runs: RunLedger
) -> None:
    send("bundle_unpacker", put(KEY, GOOD_TAR))
    run_to_its_end(runs)
    moment.sleep(1.1)  # S3's times have no fractions: the second upload is another moment
    assert send("bundle_unpacker", put(KEY, GOOD_TAR)) == []
    assert (runs.get("run-1").revision, len(executions())) == (0, 1)
    (answer,) = runs.answers("run-1")
    assert "what revision 0 was screened from" in answer.problem
    assert keys("inbox/") == [KEY] and keys("quarantine/") == []


def test_a_tar_does_not_write_into_a_run_that_receives_other_files(
    cloud: Table, runs: RunLedger
) -> None:
    send("fastq_validator", put("runs/run-1/fastq/mine.fastq.gz", GOOD))
    assert send("bundle_unpacker", put(KEY, GOOD_TAR)) == []
    [answer] = [a for a in runs.answers("run-1") if a.path == KEY]
    assert "is receiving other files (fastq/mine.fastq.gz)" in answer.problem
    assert answer.act
    assert runs.get("run-1").state is RunState.RECEIVING
    assert keys("runs/") == ["runs/run-1/fastq/mine.fastq.gz"]
    assert send("bundle_unpacker", created("quarantine/" + KEY)) == [], "ours: left alone"
    assert keys("quarantine/") == [f"quarantine/{KEY}", f"quarantine/{KEY}.reason.txt"]


@pytest.mark.parametrize(
    ("key", "run_id"),
    [
        ("inbox/run-1.tar", "run-1"),
        ("inbox/bundle=pig@1/run-1.tar", "run-1"),
        ("inbox/pig-7/input.tar", "pig-7"),
        ("inbox/layout=default/input.tar", "input"),
        ("input.tar", "input"),
        ("pig-7/input.tar", "pig-7"),
        ("site/pig-7/bundle=pig@1/input.tar", "pig-7"),
        ("runs/pig-7/input.tar", "pig-7"),
        ("runs/pig-7/deep/x.tar", "pig-7"),
        ("elsewhere/pig-7.tar", "pig-7"),
    ],
)
def test_a_key_says_whose_the_tar_is(key: str, run_id: str) -> None:
    assert run_archives.run_id_of(key) == run_id


@pytest.mark.parametrize("key", ["runs/lab-a-=/lab-b-1/x.tar", "runs/lab-a-=/lab-b-1.tar"])
def test_no_tar_below_one_run_is_another_runs(key: str) -> None:
    """Rights of people end at a prefix of `runs/` (docs/policies)."""
    with pytest.raises(MessageRefused):
        run_archives.run_id_of(key)


def own_manifest(policy: str) -> bytes:
    own = seal(
        [input_file("fastq/a.fastq.gz", len(GOOD), hashlib.sha256(GOOD).hexdigest())],
        run_id="run-1",
        created_at=datetime(2026, 3, 1, tzinfo=UTC),
        release_policy=policy,
    )
    return a_tar(("run.json", own.canonical_json().encode()), ("fastq/a.fastq.gz", GOOD))


def test_the_laboratory_of_a_tar_stands_in_its_seal(cloud: Table, runs: RunLedger) -> None:
    head = ("lib/lab.toml", b'client = "Example Ltd"\n')
    send("bundle_unpacker", put(KEY, a_tar(("lib/a.fastq.gz", GOOD), head)))
    assert manifest().laboratory == Laboratory(client="Example Ltd")
    bad = a_tar(("a.fastq.gz", GOOD), ("lab.toml", b'clinet = "Example Ltd"\n'))
    send("bundle_unpacker", put("inbox/run-2.tar", bad))
    problem = str(runs.get("run-2").problem)
    assert "lab.toml: key 'clinet' is not known. Remedy: did you mean client?" in problem


def test_a_laboratory_beside_a_manifest_speaks_only_where_the_manifest_is_silent(
    cloud: Table, runs: RunLedger
) -> None:
    def beside(client: str, **own: Any) -> bytes:
        file = input_file("fastq/a.fastq.gz", len(GOOD), hashlib.sha256(GOOD).hexdigest())
        made = seal([file], run_id="run-1", created_at=datetime(2026, 3, 1, tzinfo=UTC), **own)
        text = made.canonical_json().encode()
        lab = f'client = "{client}"'.encode()
        return a_tar(("run.json", text), ("fastq/a.fastq.gz", GOOD), ("lab.toml", lab))

    send("bundle_unpacker", put(KEY, beside("B", laboratory=Laboratory(client="A"))))
    assert "another laboratory or client" in str(runs.get("run-1").problem)
    send("bundle_unpacker", put(KEY, beside("A")))
    assert manifest().laboratory == Laboratory(client="A")


def test_a_policy_beside_a_manifest_that_says_another_is_refused(
    cloud: Table, runs: RunLedger
) -> None:
    key = "inbox/release-policy=default/run-1.tar"
    send("bundle_unpacker", put(key, own_manifest("donor-screening")))
    problem = str(runs.get("run-1").problem)
    assert "says release_policy donor-screening, and the tar was sent with default" in problem
    send("bundle_unpacker", put(key, own_manifest("default")))
    assert manifest().release_policy == "default"


def submitted(folder: Path, **options: Any) -> str:
    """What `porewatch submit run-1.tar` sends, unpacked as the cloud does; its key."""
    tar = folder / "run-1.tar"
    tar.write_bytes(GOOD_TAR)
    stack = Stack("s", boto3.Session(), {"RawBucketName": "raw", "LedgerTable": "ledger"})
    sent = submit(tar, stack=stack, quiet=True, **options)
    assert send("bundle_unpacker", created(sent.seal)) == []
    return sent.seal


def test_a_tar_that_is_submitted_with_a_policy_has_it_in_its_seal(
    cloud: Table, tmp_path: Path
) -> None:
    key = submitted(tmp_path, release_policy="donor-screening", bundle="pig@3")
    assert key == "inbox/bundle=pig@3/release-policy=donor-screening/run-1.tar"
    assert (manifest().release_policy, manifest().bundle) == ("donor-screening", "pig@3")


def test_a_tar_that_is_submitted_plainly_lies_in_the_inbox_itself(
    cloud: Table, tmp_path: Path
) -> None:
    assert submitted(tmp_path) == KEY
    assert manifest().release_policy == "default"


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"release_policy": "lax"}, "no release policy 'lax'"),
        ({"release_policy": ""}, "no release policy ''"),
        ({"bundle": "pig/other@3"}, "is not a bundle"),
        ({"bundle": ""}, "'' is not a bundle"),
        ({"run_id": "release-policy=default/run-1"}, "would not be read as it was asked for"),
        ({"sample_sheet": Path("pigs.csv")}, "put pigs.csv into the tar"),
        ({"run_id": "no run id!"}, "is not a run id"),
    ],
)
def test_what_a_tar_cannot_carry_is_refused_before_anything_is_sent(
    cloud: Table, tmp_path: Path, options: dict[str, Any], expected: str
) -> None:
    with pytest.raises(Refused, match=expected):
        submitted(tmp_path, **options)
    assert keys() == []
