"""Mutants of each format: no unforeseen error, no death, no hang, no memory without bounds."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import pytest

from porewatch.domain.errors import NotJudged
from tests.fuzz import hunt as hunting
from tests.fuzz.formats import FORMATS, SOUND, Format, by_name
from tests.fuzz.hunt import hunt


@pytest.mark.parametrize("name", FORMATS)
def test_sixty_mutants_of_each_format_have_a_verdict(name: str) -> None:
    result = hunt(name, begin=1, most=60)
    assert result.found == {}
    assert result.mutants == 60
    assert set(result.verdicts) > {SOUND}, "none was refused, or none was sound"


@pytest.mark.slow
@pytest.mark.parametrize("name", FORMATS)
def test_a_minute_of_mutants_of_each_format_has_verdicts(name: str) -> None:
    result = hunt(name, begin=10_000, seconds=60)
    assert result.found == {}, result.sentence()
    assert result.mutants > 500


def test_a_number_gives_the_same_mutant_again() -> None:
    for made in FORMATS.values():
        assert made.mutant(3) == made.mutant(3)
        assert len({made.mutant(number) for number in range(20)}) > 10


KEYS = (
    "", ".", "/", "..", "runs/run-1/.", "runs/run-1/./", "runs/run-1/..", "runs/run-1//a.bam",
    "inbox/.tar", "inbox/=/a.tar", ".tar", "runs//a", "runs/run-1/.fastq", "runs/run-1/a/.",
)  # fmt: skip


@pytest.mark.parametrize("key", KEYS)
def test_a_key_of_any_shape_is_answered(key: str) -> None:
    by_name(key)


def _fail() -> str:
    raise KeyError("field")


def _take() -> str:
    return str(len(bytes(1 << 30)))


def _loop() -> str:
    while True:
        time.sleep(1)


BROKEN = {
    "error": (_fail, "KeyError in test_fuzz.py:_fail: 'field'"),
    "death": (lambda: os.kill(os.getpid(), signal.SIGTERM), "it ends the process (SIGTERM)"),
    "memory": (_take, "MemoryError in test_fuzz.py:_take"),
    "hang": (_loop, "it takes longer than 1 s"),
    "verdict": (lambda: NotJudged.__name__, "the verdict NotJudged"),
}


@pytest.mark.parametrize("what", BROKEN)
def test_a_judge_that_breaks_is_a_finding_and_the_hunt_goes_on(
    what: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    deed, told = BROKEN[what]

    def judge(path: Path) -> str:
        return str(deed()) if path.read_bytes().endswith(b"2") else SOUND

    numbered = Format("a.txt", lambda: (b"0",), (lambda _, draw: b"%d" % draw.n,), judge)  # type: ignore[attr-defined]
    monkeypatch.setattr(Format, "mutant", lambda _, number: b"%d" % number)
    monkeypatch.setitem(FORMATS, "broken", numbered)
    monkeypatch.setattr(hunting, "LONGEST_S", 1.0)
    result = hunt("broken", begin=1, most=4)
    [(found, number)] = result.found.items()
    assert found.startswith(told)
    assert number == 2
    assert (result.mutants, result.verdicts) == (4, {SOUND: 3})
