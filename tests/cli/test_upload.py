"""Uploads resume: what arrived is not sent again, what changed is."""

import hashlib
from pathlib import Path

import boto3
import pytest
from moto import mock_aws

from porewatch_cli.submit.upload import (
    Upload,
    send,
    send_all,
)

MIB = 1024 * 1024
PART = 5 * MIB  # the smallest part S3 allows


@pytest.fixture
def s3(monkeypatch):
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    with mock_aws():
        client = boto3.client("s3", region_name="us-east-1")
        client.create_bucket(Bucket="raw")
        yield client


class Counting:
    """A client that counts the parts that go out and can break after some of them."""

    def __init__(self, client, break_after=None):
        self._client, self.parts, self._break_after = client, [], break_after

    def __getattr__(self, name):
        return getattr(self._client, name)

    def upload_part(self, **kwargs):
        if self._break_after is not None and len(self.parts) >= self._break_after:
            raise ConnectionError("the cable is out")
        self.parts.append(kwargs["PartNumber"])
        return self._client.upload_part(**kwargs)


def a_file(folder: Path, size: int) -> Upload:
    path = folder / "reads.fastq.gz"
    path.write_bytes(bytes(i * 7 % 251 for i in range(1000)) * (size // 1000))
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    return Upload(path, "raw", "runs/r1/fastq/reads.fastq.gz", digest)


def content(s3, upload):
    return s3.get_object(Bucket="raw", Key=upload.key)["Body"].read()


def test_a_small_file_arrives_with_its_digest(s3, tmp_path):
    upload = a_file(tmp_path, 10_000)
    assert send(upload, s3=s3, advance=lambda n: None)
    assert content(s3, upload) == upload.source.read_bytes()
    head = s3.head_object(Bucket="raw", Key=upload.key)
    assert head["Metadata"]["sha256"] == upload.sha256


def test_the_same_content_is_not_sent_twice(s3, tmp_path):
    upload = a_file(tmp_path, 10_000)
    send(upload, s3=s3, advance=lambda n: None)
    seen = []
    assert not send(upload, s3=s3, advance=seen.append)
    assert sum(seen) == upload.size


def test_a_broken_upload_resumes_with_the_missing_parts_only(s3, tmp_path):
    upload = a_file(tmp_path, 4 * PART + 1000)
    broken = Counting(s3, break_after=2)
    with pytest.raises(ConnectionError):
        send(upload, s3=broken, advance=lambda n: None, part_bytes=PART)
    again = Counting(s3)
    assert send(upload, s3=again, advance=lambda n: None, part_bytes=PART)
    assert not set(again.parts) & set(broken.parts)
    assert content(s3, upload) == upload.source.read_bytes()


def test_parts_of_an_older_content_are_sent_again(s3, tmp_path):
    upload = a_file(tmp_path, 3 * PART)
    broken = Counting(s3, break_after=1)
    with pytest.raises(ConnectionError):
        send(upload, s3=broken, advance=lambda n: None, part_bytes=PART)
    upload.source.write_bytes(b"x" * (3 * PART))
    changed = Upload(upload.source, "raw", upload.key, "0" * 64)
    again = Counting(s3)
    send(changed, s3=again, advance=lambda n: None, part_bytes=PART)
    assert sorted(again.parts) == [1, 2, 3]
    assert content(s3, changed) == b"x" * (3 * PART)


class Recording:
    """A client that records its calls, and can refuse one key."""

    def __init__(self, client, bad=None):
        self._client, self._bad, self.heads, self.put = client, bad, [], []

    def __getattr__(self, name):
        return getattr(self._client, name)

    def head_object(self, **kwargs):
        self.heads.append(kwargs["Key"])
        return self._client.head_object(**kwargs)

    def put_object(self, **kwargs):
        if kwargs["Key"] == self._bad:
            raise ConnectionError("the cable is out")
        self.put.append(kwargs["Key"])
        return self._client.put_object(**kwargs)


def many_files(folder: Path, number: int) -> list[Upload]:
    made = []
    for n in range(number):
        path = folder / f"{n}.fastq"
        path.write_bytes(b"@r%d\nACGT\n+\nIIII\n" % n)
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        made.append(Upload(path, "raw", f"runs/r1/fastq/{n}.fastq", digest))
    return made


def test_many_files_go_at_once_and_only_those_in_the_listing_are_looked_up(s3, tmp_path):
    uploads, advances = many_files(tmp_path, 60), []
    assert send_all(uploads[:20], set(), s3=s3, advance=advances.append) == 20
    client = Recording(s3)
    there = {upload.key for upload in uploads[:20]}
    assert send_all(uploads, there, s3=client, advance=advances.append) == 40
    assert sorted(client.heads) == sorted(there)
    assert len(client.put) == 40
    assert sum(advances) == sum(u.size for u in uploads) + sum(u.size for u in uploads[:20])


def test_a_failure_among_many_is_raised_and_the_next_try_sends_the_rest(s3, tmp_path):
    uploads = many_files(tmp_path, 60)
    client = Recording(s3, bad=uploads[7].key)
    with pytest.raises(ConnectionError, match="the cable is out"):
        send_all(uploads, set(), s3=client, advance=lambda n: None)
    there = {o["Key"] for o in s3.list_objects_v2(Bucket="raw").get("Contents", [])}
    assert uploads[7].key not in there
    sent = send_all(uploads, there, s3=s3, advance=lambda n: None)
    assert sent == len(uploads) - len(there)
