"""Every command that a document shows exists as shown; those that need no AWS are run.

A fenced `porewatch` line must parse whole with the real command; one inside a sentence may leave
arguments out, but its verb and options must exist. Targets and variables of `make` lines are those
of the Makefile; a `python -m` module exists and knows the options.
"""

from __future__ import annotations

import gzip
import importlib.util
import os
import random
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import typer.main

from porewatch_cli.main import app
from tests.contract.test_docs import PAGES, REPOSITORY, name

FENCE = re.compile(r"^ *```\w*\n(.*?)^ *```$", re.MULTILINE | re.DOTALL)
INDENTED = re.compile(r"^ {4}((?:porewatch|make|python -m) .*)$", re.MULTILINE)
INLINE = re.compile(r"`((?:\.venv/bin/)?(?:porewatch|make|python -m) [^`]*)`")
STARTS = re.compile(r"^(?:[A-Z_]+=\S+ )*(?:\.venv/bin/)?(porewatch|make|python -m) ")
MAKEFILE = (REPOSITORY / "Makefile").read_text()


class Shown(NamedTuple):
    page: str
    line: str
    whole: bool


def shown() -> Iterator[Shown]:
    """Changelog and decisions are history: they may name what is gone, or to come."""
    for page in PAGES:
        if page.name == "CHANGELOG.md" or "adr" in page.parts:
            continue
        text = page.read_text(encoding="utf-8")
        blocks = [line for block in FENCE.findall(text) for line in _lines(block)]
        for line in [*blocks, *INDENTED.findall(FENCE.sub("", text))]:
            yield Shown(name(page), line, whole=True)
        for line in INLINE.findall(FENCE.sub("", text)):
            yield Shown(name(page), line.split("&&", maxsplit=1)[0].strip(), whole=False)


def _lines(block: str) -> Iterator[str]:
    for line in block.replace("\\\n", " ").splitlines():
        for part in line.split("&&"):
            if STARTS.match(part.strip() + " "):
                yield part.strip()


def arguments_of(line: str) -> list[str]:
    """A command in parts, without comment, redirection, environment and placeholders' brackets."""
    line = re.sub(r"[\[\]]|\.\.\.", " ", line.split("  #", maxsplit=1)[0]).split(" > ")[0]
    found = shlex.split(line, comments=True)
    while re.match(r"[A-Z_]+=", found[0]):
        found = found[1:]
    return [re.sub(r"\|.*", "", argument) if "|" in argument else argument for argument in found]


def options(command: Any) -> set[str]:
    return {flag for param in command.params for flag in (*param.opts, *param.secondary_opts)}


def problem(line: str, whole: bool) -> str | None:
    """What is wrong with a shown command, or None."""
    found = arguments_of(line)
    program = Path(found[0]).name
    if program == "porewatch":
        return _parse(found[1:]) if whole else _verb_and_options(found[1:])
    if program == "make":
        return _make(found[1:])
    return _module(found[2], [argument for argument in found[3:] if argument.startswith("--")])


@cache
def porewatch() -> Any:
    return typer.main.get_command(app)


def _leaf(arguments: list[str]) -> tuple[Any, list[str]]:
    """The command that these arguments reach, and the arguments that are left for it."""
    command, context = porewatch(), None
    while hasattr(command, "commands"):
        if not arguments:
            return command, []
        context = command.make_context(command.name or "porewatch", list(arguments), context)
        rest = [*context._protected_args, *context.args]
        _, command, arguments = command.resolve_command(context, rest)
    return command, arguments


def _parse(arguments: list[str]) -> str | None:
    try:
        command, rest = _leaf(arguments)
        command.make_context(command.name, list(rest))
    except Exception as wrong:
        return f"{type(wrong).__name__}: {wrong}"
    return None


def _verb_and_options(arguments: list[str]) -> str | None:
    verbs = [w for w in arguments if not w.startswith("-")]
    try:
        command, _ = _leaf(verbs)
    except Exception as wrong:
        return f"{type(wrong).__name__}: {wrong}"
    flags = [argument.split("=")[0] for argument in arguments if argument.startswith("--")]
    unknown = [flag for flag in flags if flag not in options(command)]
    return f"no option {', '.join(unknown)}" if unknown else None


def _make(arguments: list[str]) -> str | None:
    targets = [argument for argument in arguments if "=" not in argument]
    for target in targets:
        if not re.search(rf"^{re.escape(target)}:", MAKEFILE, re.MULTILINE):
            return f"no target {target}"
    for variable in (argument.split("=")[0] for argument in arguments if "=" in argument):
        if f"$({variable})" not in MAKEFILE and f"{variable} ?=" not in MAKEFILE:
            return f"no variable {variable}"
    return None if targets else "no target at all"


def _module(module: str, flags: list[str]) -> str | None:
    if importlib.util.find_spec(module) is None:
        return f"no module {module}"
    missing = [flag for flag in flags if flag not in _help(module)] if flags else []
    return f"no option {', '.join(missing)}" if missing else None


@cache
def _help(module: str) -> str:
    return subprocess.run(
        [sys.executable, "-m", module, "--help"],
        cwd=REPOSITORY,
        check=True,
        capture_output=True,
        text=True,
    ).stdout


@pytest.mark.parametrize("one", sorted(set(shown())), ids=lambda s: f"{s.page}: {s.line[:60]}")
def test_a_command_that_a_document_shows_exists(one: Shown) -> None:
    assert problem(one.line, one.whole) is None


def test_documents_show_commands() -> None:
    assert sum(one.whole for one in shown()) > 40


@pytest.mark.parametrize(
    ("line", "whole"),
    [
        ("porewatch screan reads.fastq.gz", True),
        ("porewatch submit FOLDER --bundel pig@1", True),
        ("porewatch submit FOLDER OTHER", True),
        ("porewatch ack RUN SAMPLE", True),
        ("porewatch reap --kills many", True),
        ("porewatch watch RUN --colour", False),
        ("porewatch references puhs", False),
        ("make tset", True),
        ("make rehearse REGOIN=x", True),
        ("python -m simulator --sched 3 --no-such-option", True),
        ("python -m tests.no_such_module", True),
    ],
)
def test_a_wrong_command_is_seen(line: str, whole: bool) -> None:
    assert problem(line, whole)


RUN = (
    "porewatch sheet template > samples.csv",
    "porewatch sheet template --release-policy donor-screening --out donors.csv",
    "porewatch sheet check samples.csv",
    "porewatch references build pig@1 --from FASTA/",
    "porewatch references verify pig@1",
    "porewatch references list",
    "porewatch screen reads.fastq.gz --references .porewatch/references"
    " --bundle pig@1 --out result/",
    "make help",
)
"""In this order, in one folder: what needs neither AWS nor somebody's data."""
EXITS = {"porewatch screen": {0, 3}}
"""3: the results are not reportable, as there are no controls."""


@pytest.fixture
def laboratory(tmp_path: Path) -> Path:
    """A folder with sequences and reads of no organism, under the names that documents use."""
    draw = random.Random(5)

    def bases(length: int) -> str:
        return "".join(draw.choices("ACGT", k=length))

    virus, host = bases(1768), bases(30_000)
    for place, sequence in (("panel/PCV2.fa", virus), ("host/pig.fa", host)):
        path = tmp_path / "FASTA" / place
        path.parent.mkdir(parents=True)
        path.write_text(f">{path.stem} SYNTHETIC\n{sequence}\n")
    reads = [host[at : at + 1200] for at in range(0, 24_000, 600)]
    reads += [virus[at : at + 900] for at in range(0, 800, 100)]
    with gzip.open(tmp_path / "reads.fastq.gz", "wt") as out:
        for number, read in enumerate(reads):
            out.write(f"@read-{number}\n{read}\n+\n{'?' * len(read)}\n")
    return tmp_path


def test_commands_that_need_no_aws_run_as_shown(laboratory: Path) -> None:
    """All that documents show of them, one after the other."""
    documented = {" ".join(arguments_of(one.line)) for one in shown()}
    environment = {**os.environ, "PATH": f"{REPOSITORY / '.venv/bin'}:{os.environ['PATH']}"}
    for line in RUN:
        plain = " ".join(arguments_of(line))
        assert {plain, f".venv/bin/{plain}"} & documented, f"no document shows {line}"
        folder = REPOSITORY if line.startswith("make") else laboratory
        done = subprocess.run(
            line,
            shell=True,
            cwd=folder,
            env=environment,
            check=False,
            capture_output=True,
            text=True,
            timeout=120,
        )
        allowed = EXITS.get(" ".join(line.split()[:2]), {0})
        assert done.returncode in allowed, f"{line}\n{done.stdout}{done.stderr}"
    assert (laboratory / "result/report.html").exists()
