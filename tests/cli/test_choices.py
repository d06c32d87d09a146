"""Names that do not exist are refused before a byte is read or sent; the refusal names choices."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import boto3
import pytest
from typer.testing import CliRunner

from porewatch.adapters.ledger.known_bundles import Shelf
from porewatch.adapters.objects import Objects
from porewatch.adapters.s3.bundle_store import BundleStore
from porewatch.adapters.table import Table
from porewatch.compute.layouts import layouts
from porewatch.domain.base import now
from porewatch.domain.calls.stored_bundles import StoredBundle
from porewatch.domain.choices import KnownBundle
from porewatch.domain.errors import BundleRefused, NotFound, Refused, Unavailable
from porewatch.domain.rules import run_endings
from porewatch.domain.rules.run_seals import Refusing
from porewatch.domain.runs import RunState
from porewatch.domain.sealing import input_file, seal
from porewatch_cli.main import app
from porewatch_cli.runs.run_view import follow
from porewatch_cli.stack import Stack, find_stack
from porewatch_cli.submit import submit as submitting
from porewatch_cli.submit.submit import submit
from porewatch_cli.submit.wait_for_stack import Sent
from tests.mocked import make_buckets, make_ledger, mocked_aws

READS = b"@r1\nACGTACGTACGTACGT\n+\nIIIIIIIIIIIIIIII\n"


@pytest.fixture
def stack() -> Iterator[Stack]:
    with mocked_aws():
        make_buckets()
        make_ledger()
        outputs = {"LedgerTable": "ledger", "RawBucketName": "raw", "Basecalling": "disabled"}
        yield Stack("porewatch-test", boto3.Session(), outputs)


@pytest.fixture
def reads(tmp_path: Path) -> Path:
    path = tmp_path / "a.fastq"
    path.write_bytes(READS)
    return path


def known(stack: Stack, *refs: str) -> None:
    for ref in refs:
        Shelf(stack.table).record(KnownBundle(ref=ref, seen_at=now()))


WRONG = [
    ({"profile": "defualt"}, "no layout 'defualt'", "did you mean default"),
    ({"release_policy": "donor"}, "no release policy 'donor'", "donor-screening"),
    ({"bundle": "pig@9"}, "knows no bundle pig@9", "did you mean pig@1"),
    ({"bundle": "pig"}, "'pig' is not a bundle", "NAME@VERSION"),
]


@pytest.mark.parametrize(("options", "problem", "remedy"), WRONG, ids=[str(w[0]) for w in WRONG])
@pytest.mark.parametrize("name", ["a.fastq", "a.tar"])
def test_a_mistyped_name_is_refused_before_anything_is_read_or_sent(
    stack: Stack, reads: Path, monkeypatch: pytest.MonkeyPatch,
    options: dict[str, str], problem: str, remedy: str, name: str,
) -> None:  # fmt: skip
    known(stack, "pig@1", "demo@1")
    reads = reads.rename(reads.with_name(name))
    monkeypatch.setattr(submitting, "_checked", None)
    monkeypatch.setattr(submitting, "send", None)
    with pytest.raises(Refused) as refused:
        submit(reads, stack=stack, quiet=True, **options)  # type: ignore[arg-type]
    assert problem in refused.value.problem
    assert remedy in str(refused.value.remedy)
    assert "run.json" not in str(refused.value)
    assert list(Objects("raw").keys("")) == []


@pytest.mark.parametrize(
    ("name", "policy"), [("a.fastq", "default"), ("a.fastq", None), ("a.tar", "default")]
)
def test_a_policy_that_the_stack_does_not_take_is_refused_before_anything_is_read(
    stack: Stack, reads: Path, monkeypatch: pytest.MonkeyPatch, name: str, policy: str | None
) -> None:
    stack.outputs["ReleasePolicies"] = "donor-screening"
    reads = reads.rename(reads.with_name(name))
    monkeypatch.setattr(submitting, "_checked", None)
    with pytest.raises(Refused, match="only under donor-screening"):
        submit(reads, stack=stack, quiet=True, release_policy=policy)
    assert list(Objects("raw").keys("")) == []


@pytest.mark.parametrize("pushed", [False, True])
def test_b3_a_stack_whose_default_bundle_is_not_there_is_sent_nothing(
    stack: Stack, reads: Path, pushed: bool
) -> None:
    """As after a deploy: the template proposes a bundle, and nobody has pushed one."""
    outputs = {"DefaultBundle": "demo@1", "ReferencesBucketName": "references"}
    stack = Stack(stack.name, stack.session, {**stack.outputs, **outputs})
    if pushed:
        BundleStore(Objects("references")).point(
            StoredBundle(ref="demo@1", sha256="a" * 64, synthetic=True, size=1, pushed_at=now())
        )
        assert submit(reads, stack=stack, quiet=True).digest
        return
    with pytest.raises(BundleRefused, match="the stack has no bundle demo@1"):
        submit(reads, stack=stack, quiet=True)
    assert list(Objects("raw").keys("")) == []


def test_a_stack_that_knows_no_bundle_refuses_none_and_says_so(stack: Stack, reads: Path) -> None:
    sent = submit(reads, stack=stack, bundle="pig@9", quiet=True)
    (remark,) = sent.remarks
    assert "pig@9 could not be checked" in remark
    assert sent.digest


def test_a_bundle_that_a_run_used_to_its_end_is_known(stack: Stack, reads: Path) -> None:
    manifest = seal([input_file("fastq/a.fastq", 1)], run_id="r", created_at=now())
    stack.runs.seal(manifest, sealed_by="run.json", at=now())
    stack.runs.start(manifest, execution_arn="a", bundle="pig@2", at=now())
    assert submit(reads, stack=stack, bundle="pig@9", quiet=True).remarks, "it may not exist yet"
    stack.runs.apply("r", run_endings.complete, 0, report_keys={}, findings=0, cost_usd=0, at=now())
    with pytest.raises(Refused, match=r"knows pig@2"):
        submit(reads, stack=stack, bundle="pig@9", quiet=True)
    assert submit(reads, stack=stack, bundle="pig@2", quiet=True).remarks == ()


def test_a_run_nobody_sent_is_unknown_at_once(stack: Stack) -> None:
    Objects("raw").put("runs/pig-7/fastq/a.fastq", READS)
    stack.runs.receive("pig-70", now())
    with pytest.raises(NotFound, match=r"no run 'pig-71'") as refused:
        next(follow("pig-71", stack, patience=60))
    assert "pig-70" in str(refused.value.remedy)
    with pytest.raises(NotFound):
        next(follow("../etc", stack, patience=60))


@pytest.mark.parametrize("key", ["runs/pig-7/fastq/a.fastq", "inbox/bundle=x@1/pig-7.tar"])
def test_a_run_that_was_sent_is_waited_for_and_that_is_shown(
    stack: Stack, capsys: pytest.CaptureFixture[str], key: str
) -> None:
    Objects("raw").put(key, READS)
    with pytest.raises(NotFound):
        next(follow("pig-7", stack, every=0.01, patience=0.05))
    assert "pig-7 is not in the ledger yet; waiting" in capsys.readouterr().err


def test_waiting_is_for_the_revision_that_was_sent(
    stack: Stack, capsys: pytest.CaptureFixture[str]
) -> None:
    old, new = (
        seal([input_file(f"fastq/{name}.fastq", 1)], run_id="r", created_at=now())
        for name in ("old", "new")
    )
    stack.runs.seal(old, sealed_by="run.json", at=now())
    stack.runs.start(old, execution_arn="a", bundle="demo@1", at=now())
    stack.runs.apply("r", run_endings.complete, 0, report_keys={}, findings=0, cost_usd=0, at=now())
    assert next(follow("r", stack)).run.revision == 0
    waiting = Sent(new.digest())
    assert not waiting.is_taken_in(stack.runs.get("r"))
    stack.runs.seal(new, sealed_by="run.json", at=now())
    view = next(follow("r", stack, sent=waiting))
    assert (view.run.revision, view.run.state) == (1, RunState.SEALED)


def test_what_was_sent_and_refused_ends_the_waiting(stack: Stack) -> None:
    old = seal([input_file("fastq/old.fastq", 1)], run_id="r", created_at=now())
    stack.runs.seal(old, sealed_by="run.json", at=now())
    stack.runs.start(old, execution_arn="a", bundle="demo@1", at=now())
    stack.runs.refuse("r", digest="f" * 64, what=Refusing("no good.", ()), at=now())
    with pytest.raises(Refused, match=r"was refused; the run is unchanged .*no good"):
        next(follow("r", stack, sent=Sent("f" * 64)))


def test_a_stopped_embedded_aws_says_what_to_type(tmp_path: Path) -> None:
    record = {
        "endpoint": "http://127.0.0.1:9", "region": "us-east-1", "stack_name": "porewatch",
        "credentials": {"access_key_id": "a", "secret_access_key": "b"}, "outputs": {},
    }  # fmt: skip
    (tmp_path / "local.json").write_text(json.dumps(record))
    with pytest.raises(Unavailable, match="is stopped") as refused:
        find_stack(folder=tmp_path)
    assert "porewatch up" in str(refused.value.remedy)
    with pytest.raises(NotFound) as missing:
        find_stack(folder=tmp_path / "elsewhere")
    assert "POREWATCH_HOME" in str(missing.value.remedy)


def test_a_bundle_can_be_registered(
    stack: Stack, monkeypatch: pytest.MonkeyPatch, reads: Path
) -> None:
    monkeypatch.setattr("porewatch_cli.stack.find_stack", lambda *_, **__: stack)
    done = CliRunner().invoke(app, ["references", "register", "pig@1", "--json"])
    assert [one["ref"] for one in json.loads(done.stdout)] == ["pig@1"]
    assert submit(reads, stack=stack, bundle="pig@1", quiet=True).remarks == ()
    assert CliRunner().invoke(app, ["references", "register", "pig"]).exit_code != 0


def test_the_shelf_keeps_who_saw_a_bundle_first(stack: Stack) -> None:
    shelf = Shelf(Table("ledger"))
    for who in ("one", "two"):
        shelf.record(KnownBundle(ref="pig@1", seen_at=now(), seen_by=who))
    assert [one.seen_by for one in shelf.known()] == ["one"]


def test_the_help_names_every_layout() -> None:
    help_text = " ".join(CliRunner().invoke(app, ["submit", "-h"]).stdout.split()).replace(
        "- ", "-"
    )
    assert all(name in help_text for name in layouts())
