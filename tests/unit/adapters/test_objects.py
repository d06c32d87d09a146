from __future__ import annotations

import io
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import boto3
import pytest

from porewatch.adapters import objects
from porewatch.adapters.objects import Objects
from porewatch.domain.errors import AlreadyDone, Conflict, MessageRefused, NotFound
from porewatch.domain.stage.record import Progress
from porewatch.domain.stage.spec import Phase

PROGRESS = Progress(phase=Phase.REPORTING, units_done=2)


@pytest.fixture
def results(buckets: None) -> Objects:
    return Objects("results")


def test_a_model_comes_back_equal(results: Objects) -> None:
    results.put_json("a.json", PROGRESS)
    assert results.get_json("a.json", Progress) == PROGRESS


def test_of_many_who_publish_at_once_exactly_one_wins(results: Objects) -> None:
    def publish(n: int) -> bool:
        try:
            results.put_new("manifest.json", b"%d" % n)
        except AlreadyDone:
            return False
        return True

    with ThreadPoolExecutor(4) as pool:
        won = list(pool.map(publish, range(8)))
    assert sum(won) == 1
    assert results.get("manifest.json") == b"%d" % won.index(True)


def test_a_write_on_an_old_version_is_a_conflict(results: Objects) -> None:
    first = results.put("x", b"1")
    second = results.put_if_match("x", b"2", first)
    with pytest.raises(Conflict):
        results.put_if_match("x", b"3", first)
    assert results.get("x") == b"2"
    head = results.head("x")
    assert head is not None
    assert (head.etag, head.size) == (second, 1)


def test_what_is_missing_is_none_to_look_at_and_not_found_to_read(results: Objects) -> None:
    assert results.head("nothing") is None
    with pytest.raises(NotFound, match="nothing"):
        results.get("nothing")
    with pytest.raises(NotFound):
        results.move("nothing", "elsewhere")


def test_json_of_another_shape_is_refused_with_its_key_and_field(results: Objects) -> None:
    results.put("a.json", b'{"phase": "reporting", "units_done": "many"}')
    with pytest.raises(MessageRefused, match=r"a\.json.*units_done"):
        results.get_json("a.json", Progress)


def test_a_moved_object_is_there_once_and_moving_again_is_fine(results: Objects) -> None:
    results.put("in/x", b"body", "text/plain")
    results.move("in/x", "quarantine/in/x")
    results.move("in/x", "quarantine/in/x")
    assert [h.key for h in results.keys("")] == ["quarantine/in/x"]
    assert results.get("quarantine/in/x") == b"body"


def test_a_long_stream_goes_up_in_parts_and_moves_whole(results: Objects) -> None:
    body = bytes(range(256)) * (9 * 4096)  # 9 MiB: more than one part
    results.upload("long", io.BytesIO(body))
    head = results.head("long")
    assert head is not None
    assert head.etag.endswith("-2")
    results.move("long", "moved")
    assert results.get("moved") == body


def test_listing_follows_all_pages(aws: None, buckets: None) -> None:
    client, pages = boto3.client("s3"), []

    def small_pages(params: dict[str, Any], **_: Any) -> None:
        params["MaxKeys"] = 2
        pages.append(params.get("ContinuationToken"))

    client.meta.events.register("provide-client-params.s3.ListObjectsV2", small_pages)
    results = Objects("results", client)
    for n in range(5):
        results.put(f"k/{n}", b"")
    results.put("other", b"")
    assert [h.key for h in results.keys("k/")] == [f"k/{n}" for n in range(5)]
    assert len(pages) == 3


def test_a_link_opens_the_object_under_the_name_given(results: Objects) -> None:
    results.put("report.pdf", b"pdf")
    link = results.link("report.pdf", 60, download_as="run-1.pdf")
    assert "Expires" in link
    assert "run-1.pdf" in unquote(link)


@pytest.mark.parametrize("size", [0, 100, 5 << 20, (10 << 20) + 7])
def test_a_file_of_any_length_is_written_once(
    results: Objects, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, size: int
) -> None:
    monkeypatch.setattr(objects, "LARGE_PART", 5 << 20)
    file = tmp_path / "x"
    file.write_bytes(b"ACGT" * (size // 4) + b"N" * (size % 4))
    results.upload_new("k", file, "text/plain")
    assert results.get("k") == file.read_bytes()
    kind = boto3.client("s3").head_object(Bucket=results.bucket, Key="k")["ContentType"]
    assert kind == "text/plain"
    file.write_bytes(b"other")
    with pytest.raises(AlreadyDone):
        results.upload_new("k", file)
    assert results.get("k") != b"other"
