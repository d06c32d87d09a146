"""A sign of life in every silence over two seconds, on a terminal and nowhere else."""

from __future__ import annotations

import os
import pty
import re
import subprocess
import sys
import time
from typing import NamedTuple

import pytest

PROGRAM = """
import time
from porewatch.domain.errors import InputRefused
from porewatch_cli.commands.command import report_errors
from porewatch_cli.progress_bar import progress_bar
from porewatch_cli.terminal import console, print_json

@report_errors
def slow(seconds, as_json=False):
    console.print("first") if not as_json else None
    time.sleep(seconds)
    print_json({"seconds": seconds}) if as_json else console.print("last")

@report_errors
def with_a_bar(fails=False):
    with progress_bar("uploading", 10, False) as advance:
        if fails:
            raise InputRefused("it is bad.")
        time.sleep(3)
        advance(10)
"""


class Seen(NamedTuple):
    """What came out, on standard output where that is not the terminal."""

    terminal: str
    out: str


def at_a_terminal(call: str, *, piped: bool = False) -> Seen:
    """A program whose standard error is a terminal; its standard output is one, too, or a pipe."""
    ours, theirs = pty.openpty()
    out = subprocess.PIPE if piped else theirs
    settings = {**os.environ, "TERM": "xterm-256color", "COLUMNS": "80"}
    program = subprocess.Popen(
        [sys.executable, "-c", PROGRAM + call], stdout=out, stderr=theirs, env=settings
    )
    os.close(theirs)
    output = b""
    while True:
        try:
            piece = os.read(ours, 4096)
        except OSError:  # the other end is closed
            break
        if not piece:
            break
        output += piece
    os.close(ours)
    printed = program.stdout.read().decode() if program.stdout else ""
    assert program.wait(20) == 0, output.decode()
    return Seen(output.decode(), printed)


def lines_left(output: str) -> list[str]:
    """What stands on the screen in the end: erased lines are gone."""
    shown = re.split(r"\x1b\[2K", output)[-1]
    return [line for line in re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", shown).split("\r\n") if line]


def test_a_spinner_comes_after_two_seconds_and_goes_before_the_answer() -> None:
    seen = at_a_terminal("slow(3.2)").terminal
    first, spinner, last = (seen.index(line) for line in ("first", "working", "last"))
    assert first < spinner < last
    assert lines_left(seen) == ["last"]


def test_an_answer_in_time_has_none() -> None:
    assert "working" not in at_a_terminal("slow(0.5)").terminal


def test_json_goes_where_it_should_and_the_spinner_to_the_terminal() -> None:
    seen = at_a_terminal("slow(3.2, as_json=True)", piped=True)
    assert "working" in seen.terminal
    assert seen.out == '{\n  "seconds": 3.2\n}\n'


def test_a_bar_of_the_commands_own_is_enough() -> None:
    seen = at_a_terminal("with_a_bar()").terminal
    assert "uploading" in seen and "working" not in seen


def test_a_bar_goes_when_what_it_shows_fails() -> None:
    kept = at_a_terminal("with_a_bar()").terminal
    assert "uploading" in "".join(lines_left(kept))
    gone = at_a_terminal("try:\n    with_a_bar(fails=True)\nexcept BaseException: pass").terminal
    assert "uploading" in gone and lines_left(gone) == ["InputRefused it is bad."]


def test_a_pipe_gets_nothing_of_it() -> None:
    started = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM + "slow(2.6)"], capture_output=True, text=True, check=True
    )
    assert time.monotonic() - started > 2.6
    assert (done.stdout, done.stderr) == ("first\nlast\n", "")


def test_what_fails_leaves_no_spinner() -> None:
    with pytest.raises(AssertionError, match="boom"):
        at_a_terminal("import sys; slow(2.5); sys.exit('boom')")
