"""B3: bundles go to a stack's bucket, and machines get from there just what a run began with."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import boto3
import pytest
from typer.testing import CliRunner, Result

from porewatch.adapters.ledger.known_bundles import Shelf
from porewatch.adapters.objects import Objects
from porewatch.adapters.s3.bundle_store import BundleStore
from porewatch.adapters.s3.downloads import Downloads
from porewatch.domain.calls.stored_bundles import (
    StoredBundle,
    bundle_prefix,
)
from porewatch.domain.choices import DefaultChoice
from porewatch.domain.errors import BundleRefused, DiskFull, Unavailable
from porewatch_cli.main import app
from porewatch_cli.operate.push_bundle import push_bundle
from porewatch_cli.stack import Stack
from porewatch_cli.submit import upload
from porewatch_cli.submit.submit import submit
from porewatch_worker.references import locate
from porewatch_worker.references.building.build import build_bundle
from porewatch_worker.references.locate import (
    Fetching,
    placed,
)
from porewatch_worker.references.verify import verify_bundle
from tests.mocked import make_buckets, make_ledger, mocked_aws
from tests.worker.bundles import folder_with_two_viruses

AT = datetime(2026, 11, 29, tzinfo=UTC)
OUTPUTS = {
    "LedgerTable": "ledger",
    "RawBucketName": "raw",
    "ReferencesBucketName": "references",
    "DefaultBundle": "pig@1",
    "Basecalling": "disabled",
}


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of bundles with pig@1, another pig@1, and pig@2."""
    home = tmp_path_factory.mktemp("built")
    reads = folder_with_two_viruses(home / "fasta")
    build_bundle(reads, home / "references", "pig", "1", description="first")
    build_bundle(reads, home / "references", "pig", "2", description="second")
    build_bundle(reads, home / "other", "pig", "1", description="built again")
    return home


@pytest.fixture
def stack() -> Iterator[Stack]:
    with mocked_aws():
        make_buckets()
        make_ledger()
        yield Stack("porewatch-test", boto3.Session(), OUTPUTS)


def pushed(stack: Stack, built: Path, folder: str = "references") -> StoredBundle:
    return push_bundle(stack, built / folder, "pig@1", at=AT, replace=True, quiet=True)


def fetched(home: Path, sent: StoredBundle, progress: Fetching | None = None) -> Path:
    """The folder of bundles on a machine that has none of its own."""
    return placed(
        sent.ref, sent.sha256, root=home / "none", cache=home / "cache",
        bucket=Downloads("references"), progress=progress or Fetching(),
    )  # fmt: skip


def test_b3_what_was_pushed_is_what_a_machine_gets(
    stack: Stack, built: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(locate, "PIECE", 10_000)  # so that a file comes in several
    sent, progress = pushed(stack, built), Fetching()
    root = fetched(tmp_path, sent, progress)
    assert verify_bundle(root, "pig@1") == verify_bundle(built / "references", "pig@1")
    assert str(progress) == "fetching references: 100%"
    assert progress.there == sent.size
    stack.s3.delete_object(
        Bucket="references", Key=bundle_prefix("pig@1", sent.sha256) + "bundle.json"
    )
    assert fetched(tmp_path, sent) == root, "it lies there: S3 is not called"


def test_b3_a_push_again_sends_nothing_and_one_that_broke_off_goes_on(
    stack: Stack, built: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    send, names = upload.send, list[str]()

    def breaks(one: upload.Upload, **more: object) -> bool:
        if one.key.endswith("bundle.json"):
            raise ConnectionError("the cable")
        return send(one, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(upload, "send", breaks)
    with pytest.raises(ConnectionError):
        pushed(stack, built)
    assert stack.bundles is not None and stack.bundles.find("pig@1") is None

    def counted(one: upload.Upload, **more: object) -> bool:
        went = send(one, **more)  # type: ignore[arg-type]
        names.extend([one.key.rsplit("/", 1)[-1]] if went else [])
        return went

    monkeypatch.setattr(upload, "send", counted)
    sent = pushed(stack, built)
    assert "bundle.json" in names
    assert stack.bundles.find("pig@1") == sent
    names.clear()
    pushed(stack, built)
    assert names == []


def test_b3_a_bundle_that_is_pushed_again_changes_no_run_that_has_begun(
    stack: Stack, built: Path, tmp_path: Path
) -> None:
    first = pushed(stack, built)
    store = BundleStore(Objects("references"))
    assert store.digest_of("pig@1") == first.sha256
    with pytest.raises(BundleRefused, match="a different pig@1"):
        push_bundle(stack, built / "other", "pig@1", at=AT, quiet=True)
    second = pushed(stack, built, "other")
    assert store.digest_of("pig@1") == second.sha256 != first.sha256
    old, new = fetched(tmp_path / "a", first), fetched(tmp_path / "b", second)
    assert verify_bundle(old, "pig@1").description == "first"
    assert verify_bundle(new, "pig@1").description == "built again"
    # A machine that has the one of the other run fetches its own.
    assert verify_bundle(fetched(tmp_path / "a", second), "pig@1").description == "built again"


def test_b3_a_folder_is_used_only_when_it_holds_just_this_bundle(
    stack: Stack, built: Path, tmp_path: Path
) -> None:
    sent = pushed(stack, built)
    roots = [
        placed(
            "pig@1", digest, root=built / folder, cache=tmp_path, bucket=bucket, progress=Fetching()
        )
        for folder, digest, bucket in (
            ("references", sent.sha256, None),
            ("other", None, None),
            ("other", sent.sha256, Downloads("references")),
        )
    ]
    assert roots == [built / "references", built / "other", tmp_path]
    with pytest.raises(BundleRefused, match="has changed"):
        placed(
            "pig@1", sent.sha256, root=built / "other", cache=tmp_path / "c", bucket=None,
            progress=Fetching(),
        )  # fmt: skip


def test_b3_what_comes_altered_is_not_used(stack: Stack, built: Path, tmp_path: Path) -> None:
    sent = pushed(stack, built)
    key = (
        bundle_prefix("pig@1", sent.sha256)
        + verify_bundle(built / "references", "pig@1").files["panel"].path
    )
    content = stack.s3.get_object(Bucket="references", Key=key)["Body"].read()
    stack.s3.put_object(Bucket="references", Key=key, Body=content[:-1] + b"#")
    with pytest.raises(Unavailable, match="arrived damaged"):
        fetched(tmp_path, sent)
    stack.s3.put_object(Bucket="references", Key=key, Body=content)
    assert verify_bundle(fetched(tmp_path, sent), "pig@1").ref == "pig@1"


def test_b3_who_is_to_leave_does_not_fetch_on(stack: Stack, built: Path, tmp_path: Path) -> None:
    sent = pushed(stack, built)
    with pytest.raises(Unavailable, match="is stopping"):
        fetched(tmp_path, sent, Fetching(lambda: True))


def test_b3_a_disk_that_is_too_small_says_so_before_it_is_full(
    stack: Stack, built: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent = pushed(stack, built)
    monkeypatch.setattr(locate, "SPARE_BYTES", 1 << 60)
    with pytest.raises(DiskFull, match="the bundle needs"):
        fetched(tmp_path, sent)


def test_b3_a_stack_without_the_bundle_refuses_at_submit(
    stack: Stack, built: Path, tmp_path: Path
) -> None:
    """Also when it is the default, which nobody named."""
    reads = tmp_path / "a.fastq"
    reads.write_text("@r1\nACGTACGTACGTACGT\n+\nIIIIIIIIIIIIIIII\n")
    with pytest.raises(BundleRefused, match="has no bundle pig@1"):
        submit(reads, stack=stack, quiet=True)
    pushed(stack, built)
    assert submit(reads, stack=stack, quiet=True).files == 1
    with pytest.raises(BundleRefused, match="knows no bundle pig@2"):
        submit(reads, stack=stack, bundle="pig@2", quiet=True)


def test_b3_the_command_pushes_lists_and_names_the_default(
    stack: Stack, built: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("porewatch_cli.stack.find_stack", lambda *_a, **_k: stack)

    def output_of(*arguments: str, code: int = 0) -> str:
        result = CliRunner().invoke(app, ["references", *arguments])
        assert result.exit_code == code, result.output
        return result.stdout

    assert json.loads(output_of("default", "--json", code=1)) == {
        "bundle": "pig@1", "there": False, "deployed": "pig@1", "choices": [],
    }  # fmt: skip
    root = str(built / "references")
    for ref in ("pig@1", "pig@2"):
        assert json.loads(output_of("push", ref, "--references", root, "--json"))["ref"] == ref
    assert json.loads(output_of("default", "--json"))["there"] is True
    assert "pig@1 (default)" in output_of("list", "--stack", "porewatch-test")
    listed = json.loads(output_of("list", "--stack", "porewatch-test", "--json"))
    assert [one["ref"] for one in listed] == ["pig@1", "pig@2"]


def test_the_default_bundle_is_chosen_for_runs_to_come_and_the_ledger_keeps_who_chose(
    stack: Stack, built: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("porewatch_cli.stack.find_stack", lambda *_a, **_k: stack)

    def run(*arguments: str) -> Result:
        return CliRunner().invoke(app, ["references", *arguments])

    refused = run("default", "pig@2", "--by", "ada")
    assert refused.exit_code == 4 and "no bundle pig@2" in refused.output
    pushed(stack, built)
    push_bundle(stack, built / "references", "pig@2", at=AT, quiet=True)
    for ref in ("pig@3", "pig"):
        assert run("default", ref).exit_code == 4
    chosen = run("default", "pig@2", "--by", "ada", "--reason", "new strains", "--json")
    assert chosen.exit_code == 0, chosen.output
    assert run("default", "pig@2", "--by", "bob").exit_code == 0, "nothing to change"
    document = json.loads(run("default", "--json").stdout)
    assert (document["bundle"], document["deployed"]) == ("pig@2", "pig@1")
    assert [(c["ref"], c["by"], c["reason"]) for c in document["choices"]] == [
        ("pig@2", "ada", "new strains")
    ]
    assert "by ada: new strains" in run("default").stdout
    assert "pig@2 (default)" in run("list", "--stack", "porewatch-test").stdout
    assert stack.default_bundle == "pig@2"
    assert run("default", "--as-deployed", "--by", "ada").exit_code == 0
    assert stack.default_bundle == "pig@1"
    assert run("default", "pig@2", "--as-deployed").exit_code == 4


@pytest.mark.parametrize("earlier", [0, 1])
def test_of_two_people_who_choose_at_once_the_second_is_refused(
    stack: Stack, built: Path, monkeypatch: pytest.MonkeyPatch, earlier: int
) -> None:
    """Ada chooses just after bob's command has looked what counts."""
    monkeypatch.setattr("porewatch_cli.stack.find_stack", lambda *_a, **_k: stack)
    pushed(stack, built)
    push_bundle(stack, built / "references", "pig@2", at=AT, quiet=True)
    shelf, looked, raced = Shelf(stack.table), Shelf.choices, list[str]()
    for _ in range(earlier):
        shelf.choose(DefaultChoice(ref="pig@1", at=AT, by="eve"), after=0)

    def then_ada(commands: Shelf) -> tuple[DefaultChoice, ...]:
        found = looked(commands)
        if not raced:
            raced.append("ada")
            shelf.choose(DefaultChoice(ref=None, at=AT, by="ada"), after=len(found))
        return found

    monkeypatch.setattr(Shelf, "choices", then_ada)
    result = CliRunner().invoke(app, ["references", "default", "pig@2", "--by", "bob"])
    assert result.exit_code == 1, result.output
    assert [choice.by for choice in looked(shelf)] == ["eve"] * earlier + ["ada"]


def test_what_was_pushed_to_the_embedded_aws_is_listed(
    stack: Stack, built: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without the folder of this machine having it."""
    monkeypatch.setattr("porewatch_cli.stack.find_stack", lambda *_a, **_k: stack)
    pushed(stack, built)
    here = ("list", "--references", str(tmp_path / "none"))
    result = CliRunner().invoke(app, ["references", *here])
    assert "pushed to the embedded AWS: 1" in result.stdout
    result = CliRunner().invoke(app, ["references", *here, "--pushed", "--json"])
    assert [one["ref"] for one in json.loads(result.stdout)] == ["pig@1"]
