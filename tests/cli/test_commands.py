"""The command line as a whole: light help, examples that can be typed, parts that are missing."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from porewatch import __version__
from porewatch_cli import exit_codes
from porewatch_cli.main import app

HEAVY = {"boto3", "botocore", "mappy", "numpy", "pysam", "rich", "typst"}
"""What takes long to load, or may not be installed."""
ROOT = typer.main.get_command(app)
LOADED = """
import json, sys
from porewatch_cli.main import app
for arguments in json.loads(sys.argv[1]):
    try:
        app(arguments, prog_name="porewatch")
    except SystemExit as end:
        assert not end.code, (arguments, end.code)
sys.stderr.write(json.dumps(sorted({name.partition(".")[0] for name in sys.modules})))
"""
WITHOUT = """
import sys
from importlib.abc import MetaPathFinder

class Missing(MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in sys.argv[1].split(","):
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

sys.meta_path.insert(0, Missing())
from porewatch_cli.main import app
app(sys.argv[2:], prog_name="porewatch")
"""


def run(script: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", script, *arguments], capture_output=True, text=True, check=False
    )


def commands(group: Any = ROOT, *before: str) -> Iterator[tuple[tuple[str, ...], Any]]:
    """(its name in parts, the command) of every command below a group."""
    for name, one in group.commands.items():
        if hasattr(one, "commands"):
            yield from commands(one, *before, name)
        else:
            yield (*before, name), one


COMMANDS = dict(commands())
each_command = pytest.mark.parametrize("command", COMMANDS, ids=" ".join)


def examples(command: tuple[str, ...]) -> list[str]:
    """The lines of a command's help that one can type."""
    lines = (COMMANDS[command].epilog or "").splitlines()
    return [line.strip() for line in lines if line.strip().startswith("porewatch ")]


def parsed(line: str) -> tuple[str, ...]:
    """The name of the command that a line calls, in parts, all its options and arguments read.
    Raises a UsageError when one of them is wrong."""
    _, *rest = shlex.split(line)
    context, command, called = ROOT.make_context("porewatch", rest), ROOT, list[str]()
    while hasattr(command, "commands"):
        left = [*context._protected_args, *context.args]
        name, command, rest = command.resolve_command(context, left)
        called.append(name)
        context = command.make_context(name, rest, parent=context)
    return tuple(called)


@each_command
def test_every_command_has_an_example_that_can_be_typed(command: tuple[str, ...]) -> None:
    lines = examples(command)
    assert lines
    for line in lines:
        assert parsed(line) == command


@pytest.mark.parametrize("line", ["porewatch watch", "porewatch list --alll", "porewatch lst"])
def test_an_example_that_cannot_be_typed_is_seen(line: str) -> None:
    with pytest.raises(typer._click.exceptions.UsageError):
        parsed(line)


def test_no_help_and_no_version_loads_science_or_aws() -> None:
    done = run(LOADED, json.dumps([["--help"], ["-h"], ["--version"]]))
    assert done.returncode == 0, done.stderr
    assert not {*HEAVY, "pydantic"} & set(json.loads(done.stderr))
    assert f"porewatch {__version__}" in done.stdout


def test_no_help_of_a_command_does() -> None:
    done = run(LOADED, json.dumps([[*command, "--help"] for command in COMMANDS]))
    assert done.returncode == 0, done.stderr
    assert not HEAVY & set(json.loads(done.stderr))  # typer looks for pydantic's types by itself


def test_what_a_command_loads_is_seen() -> None:
    done = run(LOADED, json.dumps([["sheet", "template"]]))
    assert {"pydantic", "rich"} <= set(json.loads(done.stderr))


@each_command
def test_h_is_help(command: tuple[str, ...]) -> None:
    short, long = (CliRunner().invoke(app, [*command, option]) for option in ("-h", "--help"))
    assert short.exit_code == 0
    assert short.output == long.output
    assert "Examples:" in short.output


def test_a_shell_can_complete_a_command() -> None:
    variables = {
        "_POREWATCH_COMPLETE": "complete_bash",
        "COMP_WORDS": "porewatch re",
        "COMP_CWORD": "1",
    }
    done = subprocess.run(
        [Path(sys.executable).parent / "porewatch"],
        env=os.environ | variables,
        capture_output=True,
        text=True,
        check=False,
    )
    assert {"report", "references", "redrive"} <= set(done.stdout.split())


@pytest.mark.parametrize(
    ("missing", "command"),
    [
        ("boto3,botocore", ("alerts", "--stack", "x")),
        ("boto3,botocore", ("submit", "reads.fastq", "--stack", "x")),
        ("boto3,botocore", ("references", "push", "pig@1", "--stack", "x")),
        ("boto3,botocore", ("prices", "refresh")),
    ],
)
def test_a_command_without_its_part_says_what_to_install(
    missing: str, command: tuple[str, ...]
) -> None:
    done = run(WITHOUT, missing, *command)
    assert done.returncode == exit_codes.COMMAND_FAILED
    assert "pip install 'porewatch-cli[aws]'" in done.stderr
    assert "Traceback" not in done.stderr
    document = json.loads(run(WITHOUT, missing, *command, "--json").stdout)
    assert document["remedy"] == "pip install 'porewatch-cli[aws]'"


def test_a_package_that_no_extra_brings_is_a_defect_and_not_explained_away() -> None:
    done = run(WITHOUT, "pydantic", "list")
    assert "ModuleNotFoundError" in done.stderr


def test_the_embedded_aws_that_is_not_installed_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("porewatch_cli.operate.embedded.find_spec", lambda _name: None)
    result = CliRunner().invoke(app, ["up"])
    assert result.exit_code == exit_codes.COMMAND_FAILED
    assert "porewatch-cli[local]" in result.output
