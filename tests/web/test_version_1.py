"""A report.json that version 1 wrote (`data/report_version_1.json.gz`, by its own code) is still
read, rendered, audited and compared."""

from __future__ import annotations

import gzip
import io
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pypdf import PdfReader
from typer.testing import CliRunner

from porewatch.domain.calls.findings import Call
from porewatch.domain.results.report import Report
from porewatch_cli.main import app
from porewatch_worker.report.compare import compare
from porewatch_worker.report.compare_page import render_comparison
from porewatch_worker.report.parts.languages import Language, languages
from porewatch_worker.report.render_html import render_html
from porewatch_worker.report.render_pdf import render_pdf

STORED = Path(__file__).parent / "data/report_version_1.json.gz"
"""`made_up.rich()` as version 1 assembled it."""


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads(gzip.decompress(STORED.read_bytes()))
    return loaded


@pytest.fixture(scope="module")
def old(document: dict[str, Any]) -> Report:
    return Report.model_validate(document)


@pytest.fixture
def files(tmp_path: Path, document: dict[str, Any], reports: dict[str, Report]) -> list[str]:
    """The file of version 1, and the same report as it is written today."""
    paths = [tmp_path / "v1.json", tmp_path / "v2.json"]
    paths[0].write_text(json.dumps(document), encoding="utf-8")
    paths[1].write_text(reports["rich"].model_dump_json(), encoding="utf-8")
    return [str(path) for path in paths]


def test_the_file_is_of_version_1(document: dict[str, Any]) -> None:
    assert document["schema_version"] == "1"
    assert not any("why" in finding for finding in document["findings"])
    assert all("happened" not in entry for entry in document["timeline"])


def test_every_text_of_it_is_shown_as_it_was_written(document: dict[str, Any], old: Report) -> None:
    assert [f.rule for f in old.findings] == [f["rule"] for f in document["findings"]]
    assert [list(o.reasons) for o in old.outcomes] == [o["reasons"] for o in document["outcomes"]]
    assert [(e.what, e.detail) for e in old.timeline] == [
        (e["what"], e["detail"]) for e in document["timeline"]
    ]
    assert [(p.reason, p.backend) for p in old.phases] == [
        (p["reason"], p["backend"]) for p in document["phases"]
    ]
    assert old.bill is not None
    assert old.bill.remark == document["bill"]["remark"]
    assert old.provenance.basecalling == document["provenance"]["basecalling"]


@pytest.mark.parametrize("language", languages())
def test_its_page_and_its_print_show_its_history(old: Report, language: Language) -> None:
    page = render_html(old, language)
    for written in ("machine i-01 was reclaimed", "no machine from EC2, spot", "run sealed",
                    "the reads came basecalled", "The machine that made this report"):  # fmt: skip
        assert written in page
    printed = PdfReader(io.BytesIO(render_pdf(old, language)))
    text = re.sub(r"\s", "", " ".join(sheet.extract_text() for sheet in printed.pages))
    assert "machinei-01wasreclaimed" in text


def test_its_audit_trail_holds(files: list[str]) -> None:
    held = CliRunner().invoke(app, ["audit", files[0]])
    assert held.exit_code == 0, held.output


def test_today_the_same_reads_give_the_same_numbers(
    document: dict[str, Any], reports: dict[str, Report]
) -> None:
    """All that differs are texts that were reworded, what has codes beside it, and digests."""
    today = json.loads(reports["rich"].model_dump_json())
    changed = set(differences(document, today))
    reworded = {"/outcomes/#/reasons/#", "/timeline/#/what", "/bill/price_snapshot"}
    digests = {"/audit/entries/#/what", "/audit/entries/#/sha256", "/audit/entries/#/previous",
               "/audit/entries/#/details/record_sha256", "/audit/entries/#/details/sha256",
               "/audit/head", "/sign_off/report_sha256", "/sign_off/audit_head"}  # fmt: skip
    lists_of_codes = {"/outcomes/#/codes", "/findings/#/reasons"}  # now in `why`
    assert changed == {"/schema_version"} | reworded | digests | lists_of_codes


def differences(before: Any, after: Any, at: str = "") -> Iterator[str]:
    """Where `after` lacks what `before` has, or has it otherwise."""
    if isinstance(before, dict) and isinstance(after, dict):
        for name, value in before.items():
            yield from differences(value, after.get(name, differences), f"{at}/{name}")
    elif isinstance(before, list) and isinstance(after, list) and len(before) == len(after):
        for one, other in zip(before, after, strict=True):
            yield from differences(one, other, f"{at}/#")
    elif before != after:
        yield at


def test_it_is_compared_with_a_report_of_today(files: list[str], tmp_path: Path) -> None:
    said = CliRunner().invoke(app, ["compare", *files, "--json", "--out", str(tmp_path / "out")])
    assert said.exit_code == 0, said.output
    told = json.loads(said.stdout)
    assert told["findings"] == []
    assert told["made_of"] == []
    assert {page.name for page in (tmp_path / "out").iterdir()} == {
        "compare.html",
        "compare.ja.html",
    }
    back = CliRunner().invoke(app, ["compare", *reversed(files), "--json"])
    assert json.loads(back.stdout)["findings"] == []


def test_what_changed_since_version_1_is_found(old: Report, reports: dict[str, Report]) -> None:
    today = reports["rich"]
    quiet = [f.model_copy(update={"call": Call.NOT_DETECTED}) for f in today.findings]
    told = compare(old, today.model_copy(update={"findings": tuple(quiet)}))
    gone = [f.code for f in told.findings if f.change == "vanished"]
    assert gone[0] == "ASFV"
    assert "ASFV" in render_comparison(told)
