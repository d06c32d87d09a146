"""A report fits its own audit trail, prints its head, and tells what was changed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from porewatch.domain.calls.findings import Outcome
from porewatch.domain.results.answers_digest import answers_digest
from porewatch.domain.results.audit import SignOff, chained
from porewatch.domain.results.report import Report
from porewatch_cli.main import app
from porewatch_worker.report.assemble import assemble
from porewatch_worker.report.pages.run_record.audit_trail import (
    trail_events,
    trail_faults,
    with_trail,
)
from porewatch_worker.report.parts.languages import languages
from porewatch_worker.report.render_html import render_html
from tests.web import made_up
from tests.web.version_1 import signed_version_1


@pytest.fixture(scope="module")
def report() -> Report:
    return assemble(made_up.rich())


def test_an_untouched_report_fits_its_trail_also_after_json(report: Report) -> None:
    assert not list(trail_faults(Report.model_validate_json(report.model_dump_json())))


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"outcome": Outcome.REPORTABLE}, "(answers) is not what the report itself says"),
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
    assert "the chain is valid" in held.output
    changed = report.model_copy(update={"decision": "all is well"})
    path.write_text(changed.model_dump_json(), encoding="utf-8")
    broken = CliRunner().invoke(app, ["audit", str(path)])
    assert broken.exit_code == 1
    assert "answers" in broken.output


def test_a_report_of_an_older_version_fits_its_trail_and_a_changed_one_does_not(
    report: Report,
) -> None:
    text = signed_version_1(report)
    assert "whole_identity" not in text
    old = Report.model_validate_json(text)
    assert list(trail_faults(old, json.loads(text))) == []
    forged = {**json.loads(text), "decision": "all is well"}
    (entry, signed) = trail_faults(Report.model_validate(forged), forged)
    assert "(answers)" in entry
    assert "other answers" in signed


def test_a_trail_is_over_the_words_that_were_written_not_over_those_of_today(
    report: Report,
) -> None:
    document = json.loads(report.model_dump_json())
    document["timeline"][0]["what"] = "the run was sealed, as a version of ours said it"
    document["phases"][0]["reason"] = "in other words"
    read = Report.model_validate(document)
    assert read.timeline[0].what != document["timeline"][0]["what"], "today's words, by code"
    trail = chained(trail_events(read, document))
    signed = SignOff(report_sha256=answers_digest(document), audit_head=trail.head)
    read = read.model_copy(update={"audit": trail, "sign_off": signed})
    assert list(trail_faults(read, document)) == []
    document["timeline"][0]["what"] = "something else happened"
    assert len(list(trail_faults(read, document))) == 1


def written(report: Report, folder: Path, name: str = "report.json") -> str:
    path = folder / name
    path.write_text(report.model_dump_json(), encoding="utf-8")
    return str(path)


def rewritten(report: Report) -> Report:
    """Another answer, and a whole new chain over it: sound in itself."""
    changed = with_trail(report.model_copy(update={"decision": "all is well"}))
    assert not list(trail_faults(changed))
    return changed


@pytest.mark.parametrize("field", ["happened", "details"])
def test_codes_of_the_history_are_covered_since_pages_are_rendered_from_them(
    report: Report, field: str
) -> None:
    document = json.loads(report.model_dump_json())
    entry = next(e for e in document["timeline"] if e["happened"] and e["details"])
    for reason in entry[field]:
        reason["values"] = {name: "forged" for name in reason.get("values") or {"text": ""}}
    entry[field][0] = {"code": "verbatim", "values": {"text": "forged"}}
    forged = Report.model_validate(document)

    assert "forged" in str([e.what + e.detail for e in forged.timeline])
    assert any("event" in fault for fault in trail_faults(forged, document))


def test_codes_that_are_added_to_a_report_of_version_1_are_a_fault(report: Report) -> None:
    document = json.loads(signed_version_1(report))
    assert list(trail_faults(Report.model_validate(document), document)) == []
    document["timeline"][0]["happened"] = [{"code": "verbatim", "values": {"text": "forged"}}]
    forged = Report.model_validate(document)

    assert any("event" in fault for fault in trail_faults(forged, document))


def test_a_chain_rewritten_as_a_whole_is_told_by_the_head_that_was_kept(
    report: Report, tmp_path: Path
) -> None:
    original = written(report, tmp_path)
    forged = written(rewritten(report), tmp_path, "forged.json")
    assert CliRunner().invoke(app, ["audit", forged]).exit_code == 0, "nothing to compare with"
    printed = CliRunner().invoke(app, ["audit", original]).output
    note = tmp_path / "note.txt"
    note.write_text(printed, encoding="utf-8")
    assert report.audit is not None
    for kept in (report.audit.head, report.audit.head.upper(), str(note), original):
        held = CliRunner().invoke(app, ["audit", original, "--head", kept])
        assert held.exit_code == 0, held.output
        assert "as kept" in held.output
        told = CliRunner().invoke(app, ["audit", forged, "--head", kept])
        assert told.exit_code == 1
        assert "the trail was rewritten" in told.output
        assert report.audit.head in told.output
    asked = CliRunner().invoke(app, ["audit", forged, "--json", "--head", original])
    assert asked.exit_code == 1
    answer = json.loads(asked.output)
    assert (answer["holds"], answer["kept_head"]) == (False, report.audit.head)


def test_of_a_report_without_a_trail_nobody_says_that_it_was_rewritten(
    report: Report, tmp_path: Path
) -> None:
    bare = written(report.model_copy(update={"audit": None}), tmp_path)
    told = CliRunner().invoke(app, ["audit", bare, "--head", "a" * 64])
    assert told.exit_code == 1
    assert "has no audit trail" in told.output
    assert "rewritten" not in told.output
    assert "head " not in told.output


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (None, "not a head, and not a file"),
        ("", "no head"),
        ("a" * 64 + " " + "b" * 64, "2 heads"),
        (json.dumps({"audit": None, "provenance": {"bundle_sha256": "a" * 64}}), "no head"),
    ],
)
def test_a_head_that_is_none_is_refused_with_what_to_give(
    report: Report, tmp_path: Path, text: str | None, words: str
) -> None:
    note = tmp_path / "note.txt"
    if text is not None:
        note.write_text(text, encoding="utf-8")
    refused = CliRunner().invoke(app, ["audit", written(report, tmp_path), "--head", str(note)])
    assert refused.exit_code not in (0, 1), "an unusable head is not a changed report"
    assert words in refused.output


def test_head_and_sign_off_are_printed_in_every_language(report: Report) -> None:
    assert report.audit is not None
    for language in languages():
        page = render_html(report, language)
        assert report.audit.head in page
        assert 'id="sign-off"' in page
