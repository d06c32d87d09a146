"""A Japanese laboratory's run: its sheet as Excel saves it there, its names in every report."""

from __future__ import annotations

import io
import json
import unicodedata
import zipfile
from pathlib import Path
from typing import Any

import pytest
from pypdf import PdfReader
from typer.testing import CliRunner

from porewatch.domain.inputs.sample_keys import in_ascii
from porewatch_cli.main import app
from porewatch_worker.references.building.build import build_bundle
from tests.cli.test_screen import reads_in
from tests.worker.bundles import folder_with_two_viruses

SHEET = (
    "alias,barcode,type,animal,species,tissue,collected,received,requester\r\n"
    "ブタ１号,barcode01,test_sample,個体 7,ブタ,血漿,2026/3/1,2026-03-02,動物病院\r\n"
    "水,barcode02,no_template_control,,,,,,\r\n"
)
NAME, CONTROL = "ブタ１号", "水"
KEY = in_ascii(NAME)


@pytest.fixture(scope="module")
def screened(tmp_path_factory: pytest.TempPathFactory) -> tuple[Any, Path]:
    """Folders named by alias, decomposed as a Mac stores them."""
    root = tmp_path_factory.mktemp("japan")
    build_bundle(folder_with_two_viruses(root / "in"), root / "bundles", "mine", "1")
    for name in (NAME, CONTROL):
        folder = unicodedata.normalize("NFD", name)
        path = reads_in(root / f"run/fastq_pass/{folder}/FAX1_pass_{folder}_1234abcd_0.fastq")
        path.write_text(path.read_text().replace("@r", f"@{in_ascii(name)}"))
    (root / "run/sample_sheet.csv").write_bytes(SHEET.encode("cp932"))
    arguments = ["screen", root / "run", "--references", root / "bundles", "--out", root / "out"]
    result = CliRunner().invoke(app, [*map(str, arguments), "--json", "--exit-zero"])
    assert result.exit_code == 0, result.output
    assert "read as Shift-JIS (cp932)" in result.stderr
    return json.loads(result.stdout), root / "out"


def test_the_report_holds_names_and_identity_as_they_were_written(
    screened: tuple[Any, Path],
) -> None:
    report, _ = screened
    pig = next(s for s in report["samples"] if s["role"] == "sample")
    assert (pig["name"], pig["animal"], pig["tissue"]) == (NAME, "個体 7", "血漿")
    assert (pig["collected"], pig["received"]) == ("2026-03-01", "2026-03-02")
    reads = {screen["sample"]: screen["account"]["total"] for screen in report["screens"]}
    assert reads == {NAME: 8, CONTROL: 8}
    assert all(file["path"].isascii() for file in report["inputs"])


def test_files_have_ascii_keys_and_pages_the_name(screened: tuple[Any, Path]) -> None:
    _, out = screened
    assert all(path.name.isascii() for path in out.rglob("*"))
    for language in ("", ".ja"):
        assert NAME in (out / f"report{language}.html").read_text("utf-8")
        assert NAME in text_of(out / f"report{language}.pdf")
        own = text_of(out / f"report-{KEY}{language}.pdf")
        assert all(text in own for text in (NAME, "個体 7", "血漿", "2026-03-01", "動物病院"))
        assert "[U+" not in own


def text_of(pdf: Path) -> str:
    return "".join(page.extract_text() for page in PdfReader(pdf).pages)


def test_the_tables_hold_the_name_under_an_ascii_path(screened: tuple[Any, Path]) -> None:
    _, out = screened
    with zipfile.ZipFile(io.BytesIO((out / "tables.zip").read_bytes())) as tables:
        assert all(name.isascii() for name in tables.namelist())
        samples = next(n for n in tables.namelist() if n.endswith("samples.tsv"))
        assert NAME in tables.read(samples).decode()
