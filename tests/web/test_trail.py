"""A report fits its own audit trail, prints its head, and tells what was changed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from porewatch.domain.findings import Outcome
from porewatch.domain.report import Report
from porewatch_cli.main import app
from porewatch_worker.report.assemble import assemble
from porewatch_worker.report.render_html import render_html
from porewatch_worker.report.speech import LANGUAGES
from porewatch_worker.report.trail import trail_faults
from tests.web import made_up


@pytest.fixture(scope="module")
def report() -> Report:
    return assemble(made_up.rich())


def test_an_untouched_report_fits_its_trail_also_after_json(report: Report) -> None:
    assert not list(trail_faults(Report.model_validate_json(report.model_dump_json())))


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"outcome": Outcome.RELEASED}, "(answers) is not what the report itself says"),
        ({"run_id": "another"}, "entry 1 (made by)"),
        ({"timeline": ()}, "is not what the report itself says"),
        ({"phases": ()}, "is not what the report itself says"),
        ({"audit": None}, "no audit trail"),
    ],
)
def test_what_was_changed_is_named(report: Report, changed: dict[str, Any], told: str) -> None:
    assert any(told in fault for fault in trail_faults(report.model_copy(update=changed)))


def test_the_command_verifies_a_file_and_fails_on_a_changed_one(
    report: Report, tmp_path: Path
) -> None:
    path = tmp_path / "report.json"
    path.write_text(report.model_dump_json(), encoding="utf-8")
    held = CliRunner().invoke(app, ["audit", str(path)])
    assert held.exit_code == 0, held.output
    assert "the chain holds" in held.output
    changed = report.model_copy(update={"decision": "all is well"})
    path.write_text(changed.model_dump_json(), encoding="utf-8")
    broken = CliRunner().invoke(app, ["audit", str(path)])
    assert broken.exit_code == 1
    assert "answers" in broken.output


def test_head_and_sign_off_are_printed_in_every_language(report: Report) -> None:
    assert report.audit is not None
    for language in LANGUAGES:
        page = render_html(report, language)
        assert report.audit.head in page
        assert 'id="sign-off"' in page
