"""`--json` of the commands that need no stack; of the others: tests/cloud/test_json_output.py."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from porewatch_cli.json_output import STREAMS
from porewatch_cli.main import app
from porewatch_local.generated.json_output import PAGE, SCHEMA, page, schema_text
from tests.json_output import ON_A_STACK, commands, error_fits, fits, in_the_schema
from tests.worker.bundles import bases, folder_with_two_viruses

AGAIN = "run python -m porewatch_local.generated.json_output"
HERE = {
    "version": ("version",),
    "sheet template": ("sheet", "template"),
    "sheet check": ("sheet", "check", "SHEET"),
    "prices show": ("prices", "show"),
    "cost forecast": ("cost", "forecast", "READS"),
    "references build": (
        "references",
        "build",
        "mine@2",
        "--from",
        "FASTA",
        "--references",
        "BUNDLES",
    ),
    "references list": ("references", "list", "--references", "BUNDLES"),
    "references verify": ("references", "verify", "mine@1", "--references", "BUNDLES"),
    "screen": ("screen", "READS", "--references", "BUNDLES", "--bundle", "mine@1", "--out", "OUT"),
    "compare": ("compare", "OUT/report.json", "OUT/report.json"),
    "audit": ("audit", "OUT/report.json"),
}
"""Command -> a line that answers; in this order."""
ELSEWHERE = {
    "chaos archive": "tests/cloud/test_archive_on_the_engine.py, of a run that a user registered",
    "prices refresh": "tests/cli/test_cost.py, with recorded answers of AWS",
    "validate": "below, marked slow: it screens simulated runs for a quarter of a minute",
    "down": "below, of a folder where nothing runs",
    **dict.fromkeys(
        (
            *("people list", "people admin", "people disable", "people cap", "projects list"),
            *("projects create", "projects members", "projects adopt-runs"),
        ),
        "tests/cli/test_people_and_projects.py, on its tables",
    ),
    **dict.fromkeys(
        ("signatures", "sign", "amend"),
        "tests/functional/test_signing.py, against the functions",
    ),
    **dict.fromkeys(
        ("charges month", "charges statement", "charges rates"),
        "tests/functional/test_charges.py, on its tables",
    ),
    "watch-folder": "tests/watch_folder/test_watching_for_a_server.py, against the functions",
    "tier": "tests/functional/test_submit_by_token.py, against the functions",
    "login": "tests/functional/test_submit_by_token.py, against the functions",
    "up": "tests/cloud/test_json_output.py, by the model that it prints",
}


def run(*arguments: str) -> Any:
    return CliRunner().invoke(app, [*arguments, "--json"])


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    home = tmp_path_factory.mktemp("json")
    folder_with_two_viruses(home / "fasta")
    done = run("references", "build", "mine@1", "--from", str(home / "fasta"), "--references",
               str(home / "bundles"))  # fmt: skip
    assert done.exit_code == 0, done.output
    pieces = [bases(3000, 2)[n * 100 : n * 100 + 1500] for n in range(8)]
    text = "".join(f"@r{n}\n{s}\n+\n{'5' * len(s)}\n" for n, s in enumerate(pieces))
    (home / "pig.fastq").write_text(text)
    (home / "bad.csv").write_text("name,barcode,volume_ml\npig,barcode01,half\n")
    names = {"READS": "pig.fastq", "FASTA": "fasta", "BUNDLES": "bundles", "OUT": "out",
             "SHEET": "bad.csv"}  # fmt: skip
    return {name: str(home / path) for name, path in names.items()}


def filled(arguments: tuple[str, ...], place: dict[str, str]) -> list[str]:
    """With the places in it; `OUT/report.json` below one."""
    parts = (argument.partition("/") for argument in arguments)
    return [place.get(head, head) + slash + rest for head, slash, rest in parts]


def test_the_page_and_the_schema_are_as_the_code_has_it() -> None:
    assert PAGE.read_text() == page(), AGAIN
    assert SCHEMA.read_text() == schema_text(), AGAIN


def test_every_command_has_json_a_schema_and_a_test_that_runs_it() -> None:
    assert [name for name, options in commands().items() if "--json" not in options] == []
    assert set(commands()) == in_the_schema()
    assert set(HERE) | set(ON_A_STACK) | set(ELSEWHERE) == set(commands())
    assert {stream.split()[0] for stream in STREAMS} <= set(commands())


def test_what_needs_no_stack_prints_one_document_that_fits(place: dict[str, str]) -> None:
    for command, arguments in HERE.items():
        done = run(*filled(arguments, place))
        assert done.exception is None or isinstance(done.exception, SystemExit), command
        fits(command, done.stdout)


@pytest.mark.slow
def test_a_validation_fits() -> None:
    fits("validate", run("validate").stdout)


def test_down_reports_that_nothing_ran(tmp_path: Path, capfd: pytest.CaptureFixture[str],
                                    monkeypatch: pytest.MonkeyPatch) -> None:  # fmt: skip
    monkeypatch.setenv("POREWATCH_HOME", str(tmp_path))
    run("down")
    assert fits("down", capfd.readouterr().out) == {"stopped": []}


@pytest.mark.parametrize(
    "arguments",
    [
        ("compare", "nowhere.json", "nowhere.json"),
        ("list", "--stack", "s", "--profile", "nobody"),
        ("prices", "refresh", "--profile", "nobody"),
        ("references", "verify", "none@1"),
        ("screen", "no.fastq", "--references", "no", "--out", "no"),
        ("submit", "no-such-folder", "--wait"),
        ("watch", "nope"),
    ],
)
def test_a_failure_is_one_line_that_fits(
    arguments: tuple[str, ...],
    tmp_path: Path,
    capfd: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("POREWATCH_HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    done = run(*arguments)
    assert done.exit_code > 0
    error = error_fits(done.stdout or capfd.readouterr().out)
    assert error["problem"]


def test_the_embedded_aws_fails_in_the_same_form(tmp_path: Path) -> None:
    program = [sys.executable, "-m", "porewatch_local", "status", "--json", "--home", str(tmp_path)]
    done = subprocess.run(program, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert error_fits(done.stdout)["error"] == "LocalProblem"


def test_an_error_of_aws_is_json_as_well(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/dev/null")
    monkeypatch.setenv("AWS_CONFIG_FILE", "/dev/null")
    done = run("prices", "refresh", "--profile", "nobody")
    assert json.loads(done.stdout)["problem"].startswith("AWS refused")
