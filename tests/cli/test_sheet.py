"""`porewatch sheet`: what it prints passes its own check, and a check names every fault."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from porewatch.domain.inputs.sheet.sample_sheet import parse_sample_sheet
from porewatch_cli.main import app

BAD = (
    "name,barcode,volume_ml,colour\nブタ1,barcode01,half,\nブタ1,,1,\n\n豚\u202eA,barcode03,2,\n"
    "pig-4,barcode03,3,\n"
)


def sheet(*arguments: object) -> Any:
    return CliRunner().invoke(app, ["sheet", *map(str, arguments)])


@pytest.mark.parametrize("layout", ["minimal", "full", "minknow"])
def test_a_template_passes_the_check_as_it_is(layout: str, tmp_path: Path) -> None:
    printed = sheet("template", "--layout", layout, "--samples", 3)
    assert printed.exit_code == 0
    out = tmp_path / "ブタ.csv"
    assert sheet("template", "--layout", layout, "--samples", 3, "--out", out).exit_code == 0
    assert parse_sample_sheet(out.read_bytes(), file="s") == parse_sample_sheet(
        printed.stdout, file="s"
    )
    result = sheet("check", out, "--json")
    assert result.exit_code == 0, result.output
    document = json.loads(result.stdout)
    assert document["usable"] and len(document["samples"]) == 4
    assert [found["row"] for found in document["samples"]] == [2, 3, 4, 5]


def test_a_policy_that_needs_a_positive_control_gets_its_row(tmp_path: Path) -> None:
    result = sheet("template", "--release-policy", "donor-screening")
    roles = {s.role.value: s for s in parse_sample_sheet(result.stdout, file="s")}
    assert set(roles) == {"sample", "no_template_control", "positive_control"}
    assert roles["positive_control"].expected_codes
    minknow = sheet("template", "--release-policy", "donor-screening", "--layout", "minknow")
    assert minknow.exit_code == 4
    assert sheet("template", "--release-policy", "donor-screeming").exit_code == 4


def test_a_template_overwrites_nothing(tmp_path: Path) -> None:
    (tmp_path / "mine.csv").write_text("name\nx\n")
    assert sheet("template", "--out", tmp_path / "mine.csv").exit_code == 4
    assert (tmp_path / "mine.csv").read_text() == "name\nx\n"


def test_every_fault_is_named_by_row_and_column(tmp_path: Path) -> None:
    path = tmp_path / "pigs.csv"
    path.write_text(BAD)
    result = sheet("check", path, "--json")
    assert result.exit_code == 4
    document = json.loads(result.stdout)
    assert not document["usable"] and document["samples"] == []
    assert [(fault["row"], fault["column"]) for fault in document["faults"]] == [
        (1, "colour"), (2, "volume_ml"), (3, "barcode"), (3, "name"), (5, "name"), (6, "barcode"),
    ]  # fmt: skip
    assert all(fault["problem"] and fault["remedy"] for fault in document["faults"])
    people = sheet("check", path)
    assert people.exit_code == 4
    assert "6 faults" in people.stderr and "row 5, column name" in people.stderr
    assert "\u202e" not in people.output and "\u202e" not in result.output


def test_a_sheet_that_can_be_used_shows_names_keys_and_encoding(tmp_path: Path) -> None:
    path = tmp_path / "pigs.csv"
    path.write_bytes("name,barcode,received\nブタ1,barcode01,2199-01-01\n".encode("cp932"))
    result = sheet("check", path)
    assert result.exit_code == 0
    assert "ブタ1" in result.stdout and "1-d9d57acf" in result.stdout and "cp932" in result.stdout
    assert "in the future" in result.stderr


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04", b"name\n\xff\xff\n", b"\xff\xfen\x00a"])
def test_a_file_that_is_no_sheet_is_one_fault(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "x.csv").write_bytes(content)
    result = sheet("check", tmp_path / "x.csv", "--json")
    assert (result.exit_code, len(json.loads(result.stdout)["faults"])) == (4, 1)


def test_a_sheet_that_is_not_there_is_refused(tmp_path: Path) -> None:
    assert sheet("check", tmp_path / "no.csv").exit_code == 4


def test_rows_of_the_given_flow_cell_are_checked(tmp_path: Path) -> None:
    path = tmp_path / "two.csv"
    path.write_text("flow_cell_id,alias,barcode\nFAX1,a,barcode01\nFBB2,b,barcode01\n")
    assert sheet("check", path).exit_code == 4
    result = sheet("check", path, "--flow-cell", "fbb2", "--json")
    assert [found["name"] for found in json.loads(result.stdout)["samples"]] == ["b"]
