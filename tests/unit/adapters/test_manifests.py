"""Sealed manifests in S3: written once, verified at every reading, older ones still readable."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime

import boto3
import pytest

from porewatch.adapters.items import Item, run_key
from porewatch.adapters.ledger.runs import RunLedger
from porewatch.adapters.objects import JSON, Objects
from porewatch.adapters.s3 import manifests as kept_here
from porewatch.adapters.s3.manifests import KEPT, Manifests
from porewatch.adapters.table import Table
from porewatch.domain import s3_keys
from porewatch.domain.errors import ManifestRefused, NotFound
from porewatch.domain.runs import RunManifest
from porewatch.domain.sealing import input_file, seal

WHEN = datetime(2026, 3, 1, tzinfo=UTC)
ITEM_LIMIT = 400_000
"""Bytes of an item of DynamoDB."""


def a_manifest(files: int = 3) -> RunManifest:
    some = [
        input_file(
            f"fastq/barcode{i % 96 + 1:02d}/{'x' * 80}_pass_barcode{i % 96 + 1:02d}_{i}.fastq.gz",
            1000 + i,
            hashlib.sha256(str(i).encode()).hexdigest(),
        )
        for i in range(files)
    ]
    return seal(some, run_id="r", created_at=WHEN)


@pytest.fixture
def runs(ledger: Table, buckets: None) -> RunLedger:
    return RunLedger(ledger)


@pytest.fixture
def manifests(runs: RunLedger) -> Manifests:
    return Manifests(runs, Objects("raw"))


def sealed(runs: RunLedger, manifests: Manifests, manifest: RunManifest) -> str:
    manifests.keep(manifest)
    runs.seal(manifest, sealed_by="run.json", at=WHEN)
    kept_here.forget()
    return s3_keys.sealed_manifest_key("r", manifest.digest())


@pytest.mark.parametrize("count", [9_600, pytest.param(50_000, marks=pytest.mark.slow)])
def test_fifty_thousand_files_seal_and_the_ledger_holds_digest_and_counts(
    ledger: Table, runs: RunLedger, manifests: Manifests, count: int
) -> None:
    manifest = a_manifest(count)
    key = sealed(runs, manifests, manifest)
    note = runs.seal_note("r", 0)
    assert (note.files, note.bytes) == (count, sum(f.size for f in manifest.files))
    assert note.basecalled
    assert len(note.samples) == 96
    assert Objects("raw").head(key).size > count // 2500 * ITEM_LIMIT  # type: ignore[union-attr]
    for item in ledger.query(run_key("r")):
        assert len(item.body) + len(str(item.attributes)) < 8000, item.sk
    assert manifests.of("r", 0) == manifest


def test_the_object_is_named_by_the_digest_of_its_bytes(
    runs: RunLedger, manifests: Manifests
) -> None:
    key = sealed(runs, manifests, a_manifest())
    assert (
        hashlib.sha256(Objects("raw").get(key)).hexdigest()
        == runs.seal_note("r", 0).manifest_digest
    )
    assert not key.startswith("runs/"), "whoever may upload reads may not write here"


def test_keeping_it_again_writes_nothing(runs: RunLedger, manifests: Manifests) -> None:
    key = sealed(runs, manifests, a_manifest())
    before = Objects("raw").head(key)
    kind = boto3.client("s3").head_object(Bucket="raw", Key=key)["ContentType"]
    assert kind == "application/json"
    manifests.keep(a_manifest())
    assert Objects("raw").head(key) == before


def test_an_altered_manifest_is_refused_by_whoever_reads_it(
    runs: RunLedger, manifests: Manifests
) -> None:
    key = sealed(runs, manifests, a_manifest())
    altered = Objects("raw").get(key).replace(b"1001", b"1002")
    boto3.client("s3").put_object(Bucket="raw", Key=key, Body=altered)
    with pytest.raises(ManifestRefused, match="not the manifest that was sealed") as refusal:
        manifests.of("r", 0)
    assert refusal.value.file == key
    assert refusal.value.remedy
    with pytest.raises(ManifestRefused, match="not the manifest that was sealed") as kept:
        manifests.keep(a_manifest())
    assert kept.value.file == key


def test_a_manifest_that_this_version_cannot_read_is_refused_by_field_and_key(
    buckets: None,
) -> None:
    """Its digest is right: a later version sealed it."""
    content = a_manifest().canonical_json().replace('"size":1000', '"size":"many"').encode()
    digest = hashlib.sha256(content).hexdigest()
    key = s3_keys.sealed_manifest_key("r", digest)
    Objects("raw").put_new(key, content, JSON)
    with pytest.raises(ManifestRefused, match=r"files\[0\].size 'many'") as refused:
        kept_here.read_manifest(Objects("raw"), "r", digest)
    assert refused.value.file == key


def test_a_manifest_that_is_gone_is_missed_by_its_key(
    runs: RunLedger, manifests: Manifests
) -> None:
    key = sealed(runs, manifests, a_manifest())
    Objects("raw").remove(key)
    with pytest.raises(NotFound, match="sealed manifest is gone") as missing:
        manifests.of("r", 0)
    assert missing.value.file == key
    assert missing.value.remedy


def test_a_manifest_that_an_earlier_version_kept_in_the_ledger_is_still_read(
    ledger: Table, runs: RunLedger, manifests: Manifests
) -> None:
    manifest = a_manifest()
    attributes = {"manifest_digest": manifest.digest()}
    ledger.put(Item.of(run_key("r"), "MANIFEST#0", manifest, attributes=attributes))
    assert manifests.of("r", 0) == manifest
    assert runs.seal_note("r", 0).manifest_digest == manifest.digest()
    assert runs.seal_note("r", 0).files == 3


def test_it_is_read_once_for_each_digest(
    runs: RunLedger, manifests: Manifests, monkeypatch: pytest.MonkeyPatch
) -> None:
    sealed(runs, manifests, a_manifest())
    read: list[str] = []
    get = Objects.get
    monkeypatch.setattr(Objects, "get", lambda self, key: read.append(key) or get(self, key))
    for _ in range(3):
        assert manifests.of("r", 0) == a_manifest()
    assert len(read) == 1


def test_a_process_keeps_the_manifests_that_it_read_last(
    runs: RunLedger, manifests: Manifests, monkeypatch: pytest.MonkeyPatch
) -> None:
    raw = Objects("raw")
    digests = [manifests.keep(a_manifest(n)).manifest_digest for n in range(1, KEPT + 2)]
    read: list[str] = []
    get = Objects.get
    monkeypatch.setattr(Objects, "get", lambda self, key: read.append(key) or get(self, key))
    first, *others, last = digests
    for digest in (first, *others, first, last, first):
        kept_here.read_manifest(raw, "r", digest)
    assert read == [s3_keys.sealed_manifest_key("r", digest) for digest in digests]
    kept_here.read_manifest(raw, "r", others[-1])
    assert len(read) == KEPT + 2, "it was used longest ago, and made room for the last one"
