"""No file of a stranger gets anything but a verdict, and check and reader give the same one."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from porewatch.domain.errors import InputRefused, NoReadsInside
from tests.worker.reads.hostile import corpus
from tests.worker.reads.verdicts import by_check, by_stream, verdict

CORPUS = corpus()


def content_of(what: str) -> tuple[str, bytes]:
    name, content = CORPUS[what]
    return name, content if isinstance(content, bytes) else content()


def test_the_corpus_is_large_and_not_all_of_it_is_refused_for_one_reason() -> None:
    assert len(CORPUS) >= 200
    assert Counter(what.split(":")[0] for what in CORPUS).keys() == {"fastq", "gzip", "bam", "pod5"}


@pytest.mark.parametrize("what", CORPUS)
def test_every_hostile_file_has_one_verdict_that_was_foreseen(tmp_path: Path, what: str) -> None:
    name, content = content_of(what)
    path = tmp_path / name
    path.write_bytes(content)
    assert verdict(path) in ("sound", InputRefused.__name__, NoReadsInside.__name__)


@pytest.mark.parametrize("what", [*CORPUS][::12])
def test_a_stream_has_the_same_verdict_as_a_file(tmp_path: Path, what: str) -> None:
    name, content = content_of(what)
    path = tmp_path / name
    path.write_bytes(content)
    assert by_stream(path) == by_check(path)
