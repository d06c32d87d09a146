"""`porewatch screen` as a stranger meets it: what is wrong is a sentence, never a traceback."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from porewatch_cli.main import app
from porewatch_worker.references.building.build import build_bundle
from tests.worker.bundles import bases, folder_with_two_viruses


@pytest.fixture(scope="module")
def references(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("references")
    build_bundle(folder_with_two_viruses(root / "in"), root / "bundles", "mine", "1")
    return root / "bundles"


def reads_in(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    pieces = [bases(3000, 2)[n * 100 : n * 100 + 1500] for n in range(8)]
    path.write_text("".join(f"@r{n}\n{s}\n+\n{'5' * len(s)}\n" for n, s in enumerate(pieces)))
    return path


def screen(*arguments: object) -> Any:
    return CliRunner().invoke(app, ["screen", *map(str, arguments)])


def test_json_is_one_document_and_every_read_is_accounted_for(
    references: Path, tmp_path: Path
) -> None:
    reads = reads_in(tmp_path / "pig.fastq")
    result = screen(reads, "--references", references, "--out", tmp_path / "out", "--json")
    assert result.exit_code == 0
    account = json.loads(result.stdout)["screens"][0]["account"]
    assert (account["total"], account["panel"]) == (8, 8)


def test_the_other_forms_of_the_report_are_named(references: Path, tmp_path: Path) -> None:
    reads, out = reads_in(tmp_path / "pig.fastq"), tmp_path / "out"
    result = screen(reads, "--references", references, "--out", out, "--exit-zero")
    (also,) = (line for line in result.stdout.splitlines() if line.strip().startswith("also"))
    named = set(also.split("also")[1].replace(",", " ").split())
    assert named == {"report.ja.html", "report.ja.pdf", "tables.zip"}
    assert all((out / name).is_file() for name in named)


def test_a_minknow_folder_is_one_run_with_its_sheet_and_nothing_twice(
    references: Path, tmp_path: Path
) -> None:
    reads_in(tmp_path / "run/fastq_pass/barcode01/a.fastq")
    reads_in(tmp_path / "run/fastq_fail/barcode01/a.fastq")
    (tmp_path / "run/bam_pass").mkdir()
    (tmp_path / "run/bam_pass/a.bam").write_bytes(b"the same reads, never opened")
    (tmp_path / "run/sample_sheet.csv").write_text("sample,barcode\ndonor,barcode01\n")
    result = screen(
        tmp_path / "run", "--references", references, "--out", tmp_path / "out", "--json"
    )
    assert result.exit_code == 0, result.output
    (only,) = json.loads(result.stdout)["screens"]
    assert (only["sample"], only["account"]["total"]) == ("donor", 8)
    assert result.stderr.count("left out") == 2


@pytest.mark.parametrize("option", ["--sample-sheet", "--out"])
def test_a_path_that_cannot_be_used_is_named_with_what_to_do(
    references: Path, tmp_path: Path, option: str
) -> None:
    reads = reads_in(tmp_path / "pig.fastq")
    wrong = {"--out": reads, "--sample-sheet": tmp_path / "no.csv"}[option]
    options = {"--out": tmp_path / "out"} | {option: wrong}
    arguments = [argument for pair in options.items() for argument in pair]
    result = screen(reads, "--references", references, *arguments, "--json")
    assert result.exit_code == 4
    error = json.loads(result.stdout)
    assert str(wrong) in error["file"]
    assert error["remedy"]


def test_a_name_with_brackets_is_shown_as_it_is_with_its_folder(
    references: Path, tmp_path: Path
) -> None:
    reads = tmp_path / "[bold]barcode01[/red].fastq"
    reads.parent.mkdir()
    reads.write_text("no reads")
    result = screen(reads, "--references", references, "--out", tmp_path / "out")
    assert result.exit_code == 4
    assert "[bold]barcode01[/red].fastq: record 1, line 1: " in "".join(result.stderr.split("\n"))


def test_a_bundle_is_refused_before_the_reads_are_read(references: Path, tmp_path: Path) -> None:
    (tmp_path / "pig.fastq").write_text("no reads")
    result = screen(tmp_path / "pig.fastq", "--references", references, "--bundle", "mine@2",
                  "--out", tmp_path / "out", "--json")  # fmt: skip
    assert json.loads(result.stdout)["error"] == "BundleRefused"


def test_a_bundles_folder_and_another_bundles_name_contradict_each_other(
    references: Path, tmp_path: Path
) -> None:
    reads = reads_in(tmp_path / "pig.fastq")
    result = screen(reads, "--references", references / "mine/1", "--bundle", "other@1",
                  "--out", tmp_path / "out", "--json")  # fmt: skip
    assert result.exit_code == 4
    assert "this is the folder of mine@1" in json.loads(result.stdout)["problem"]


def test_reads_that_are_not_there_are_named(references: Path, tmp_path: Path) -> None:
    result = screen(
        tmp_path / "no", "--references", references, "--out", tmp_path / "out", "--json"
    )
    assert result.exit_code == 4
    assert "no such file or folder" in json.loads(result.stdout)["problem"]


def test_the_laboratory_reaches_data_and_page(references: Path, tmp_path: Path) -> None:
    reads = reads_in(tmp_path / "run/pig.fastq")
    (tmp_path / "run/lab.toml").write_text('laboratory = "Labor Süd"\nclient = "株式会社"\n')
    out = tmp_path / "out"
    result = screen(reads.parent, "--references", references, "--out", out, "--json")
    assert result.exit_code == 0, result.output
    assert json.loads(result.stdout)["laboratory"]["client"] == "株式会社"
    assert "Labor Süd" in (out / "report.html").read_text("utf-8")
    bad = tmp_path / "bad.toml"
    bad.write_text('labratory = "x"')
    result = screen(reads, "--lab", bad, "--references", references, "--out", out, "--json")
    assert result.exit_code != 0
    assert "did you mean laboratory" in json.loads(result.stdout)["remedy"]
