"""Inputs: fetched when needed, dropped when old, restarted when the connection breaks."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import boto3
import pytest
from botocore.config import Config

from porewatch.adapters.s3.downloads import Downloads
from porewatch.domain.errors import NotFound
from porewatch_worker.stage.fetched_inputs import (
    KEPT_FILES,
    FetchedInputs,
)
from porewatch_worker.stage_inputs import (
    Source,
    basecalled_name,
)

CONTENT = b"ACGT" * 1000


class Shelf:
    """A folder that files are fetched from. `fetched` lists what was."""

    def __init__(self) -> None:
        self.fetched: list[str] = []

    def fetch(
        self, key: str, to: Path, advance: Callable[[int], None], version: str | None = None
    ) -> tuple[int, str]:
        self.fetched.append(key)
        to.parent.mkdir(parents=True, exist_ok=True)
        to.write_bytes(CONTENT)
        advance(len(CONTENT))
        return len(CONTENT), hashlib.sha256(CONTENT).hexdigest()


@pytest.fixture
def shelf() -> Shelf:
    return Shelf()


@pytest.fixture
def inputs(shelf: Shelf, tmp_path: Path) -> FetchedInputs:
    names = [f"fastq/{n}.fastq" for n in range(KEPT_FILES + 2)]
    sources = {name: Source(shelf, f"key/{name}", len(CONTENT), None) for name in names}
    return FetchedInputs(sources, tmp_path)


def test_only_the_latest_files_stay_on_disk_and_an_old_one_is_fetched_again(
    inputs: FetchedInputs, shelf: Shelf, tmp_path: Path
) -> None:
    paths = [inputs.path(f"fastq/{n}.fastq") for n in range(KEPT_FILES + 2)]
    assert [p.exists() for p in paths] == [False, False, *[True] * KEPT_FILES]
    assert inputs.path("fastq/0.fastq").read_bytes() == CONTENT
    assert shelf.fetched.count("key/fastq/0.fastq") == 2
    assert len(list(tmp_path.rglob("*.fastq"))) == KEPT_FILES


def test_a_file_on_disk_is_not_fetched_twice_and_a_released_one_is_gone(
    inputs: FetchedInputs, shelf: Shelf
) -> None:
    path = inputs.path("fastq/1.fastq")
    assert inputs.path("fastq/1.fastq") == path
    assert shelf.fetched == ["key/fastq/1.fastq"]
    inputs.release("fastq/1.fastq")
    assert not path.exists()


def test_an_unknown_input_is_named(inputs: FetchedInputs) -> None:
    with pytest.raises(NotFound, match=r"no input 'screen\.json'"):
        inputs.path("screen.json")


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("pod5/a.pod5", "bam/a.bam"),
        ("pod5/barcode01/a.pod5", "bam/barcode01/a.bam"),
        ("fastq/a.fastq.gz", "fastq/a.fastq.gz"),
    ],
)
def test_what_basecalling_makes_of_a_file_keeps_its_folders(path: str, name: str) -> None:
    assert basecalled_name(path) == name


class Breaking(ThreadingHTTPServer):
    """An S3 that breaks off in the middle of its first answers."""

    daemon_threads = True
    breaks = 2


class _Handler(BaseHTTPRequestHandler):
    server: Breaking

    def log_message(self, *_: object) -> None:
        pass

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("content-length", str(len(CONTENT)))
        self.end_headers()
        broken = self.server.breaks > 0
        self.server.breaks -= 1
        self.wfile.write(CONTENT[:100] if broken else CONTENT)
        self.close_connection = True


@pytest.fixture
def breaking() -> Iterator[Breaking]:
    server = Breaking(("127.0.0.1", 0), _Handler)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}).start()
    yield server
    server.shutdown()
    server.server_close()


def test_a_download_that_breaks_off_is_begun_again_and_is_whole(
    breaking: Breaking, tmp_path: Path
) -> None:
    client = boto3.client(
        "s3",
        endpoint_url=f"http://127.0.0.1:{breaking.server_address[1]}",
        region_name="eu-central-1",
        aws_access_key_id="test",
        aws_secret_access_key="test",
        config=Config(s3={"addressing_style": "path"}),
    )
    to = tmp_path / "a.fastq"
    size, sha256 = Downloads("raw", client).fetch("runs/a.fastq", to)
    assert breaking.breaks < 0
    assert (size, sha256) == (len(CONTENT), hashlib.sha256(CONTENT).hexdigest())
    assert to.read_bytes() == CONTENT
    assert list(tmp_path.iterdir()) == [to]
