"""`porewatch compare`: what changed between two reports."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner

from porewatch.domain.calls.findings import Call, Quantity
from porewatch.domain.reasons.reason import verbatim
from porewatch.domain.results.report import Report
from porewatch.domain.stage.screening_parameters import ScreeningParameters
from porewatch_cli.main import app
from porewatch_worker.report.assemble import assemble
from porewatch_worker.report.compare import compare, overlap
from porewatch_worker.report.compare_page import render_comparison
from tests.web import made_up


def _amount(low: float | None, high: float | None) -> Quantity:
    return Quantity(value=None, low=low, high=high, unit="copies/mL", how=verbatim("m"))


def test_a_report_compared_with_itself_shows_no_change(reports: dict[str, Report]) -> None:
    told = compare(reports["rich"], reports["rich"])
    assert (told.findings, told.made_of) == ((), ())
    assert told.amounts and all(a.overlap is not False for a in told.amounts)


def _nothing_found(report: Report) -> Report:
    """The same samples before anything was in them."""
    gone = {"call": Call.NOT_DETECTED, "evidence": None, "quantities": ()}
    findings = tuple(
        f.model_copy(update=gone) if f.call in (Call.DETECTED, Call.INDETERMINATE) else f
        for f in report.findings
    )
    return report.model_copy(update={"findings": findings})


def test_what_appeared_and_what_vanished_come_first_most_severe_first() -> None:
    after = assemble(made_up.rich())
    before = _nothing_found(after)
    there = compare(before, after)
    assert [(c.sample, c.code, c.change) for c in there.findings[:2]] == [
        ("pig-01", "ASFV", "appeared"),
        ("pig-01", "IAV", "appeared"),
    ]
    back = compare(after, before)
    assert {c.change for c in back.findings} == {"vanished"}
    assert len(back.findings) == len(there.findings) == 5


def test_more_reads_of_the_same_call_are_told_as_evidence() -> None:
    inputs = made_up.rich()
    first = next(f for f in inputs.quantification.findings if f.evidence)
    assert first.evidence is not None
    more = first.model_copy(update={"evidence": first.evidence.model_copy(update={"reads": 9_000})})
    findings = tuple(more if f is first else f for f in inputs.quantification.findings)
    quantification = inputs.quantification.model_copy(update={"findings": findings})
    [change] = compare(
        assemble(inputs), assemble(replace(inputs, quantification=quantification))
    ).findings
    assert (change.change, change.code) == ("evidence", first.code)
    assert change.evidence_after is not None
    assert change.evidence_after.reads == 9_000


def test_changed_parameters_versions_and_cost_are_told() -> None:
    inputs = made_up.rich()
    stricter = replace(inputs, parameters=ScreeningParameters(min_identity=0.9), bill=None)
    told = compare(assemble(inputs), assemble(stricter))
    assert {m.what for m in told.made_of} == {"parameters.min_identity", "parameters_sha256"}
    assert told.before.cost_usd is not None
    assert told.after.cost_usd is None


@pytest.mark.parametrize(
    ("a", "b", "shared"),
    [
        ((1, 2), (2, 3), True),
        ((1, 2), (2.1, 3), False),
        ((None, 2), (1, 9), True),
        ((None, 2), (3, 9), False),
        ((1, None), (1, 2), None),
    ],
)
def test_intervals_overlap_when_they_share_a_value(
    a: tuple[float | None, float | None], b: tuple[float | None, float | None], shared: bool | None
) -> None:
    assert overlap(_amount(*a), _amount(*b)) is shared
    assert overlap(_amount(*b), _amount(*a)) is shared


def test_amounts_of_one_unit_are_compared_by_what_they_were_measured_against() -> None:
    report = assemble(made_up.rich())
    spike, by_yield = (
        _amount(n, n + 1).model_copy(update={"value": n, "basis": basis})
        for n, basis in ((10.0, "spike"), (70.0, "yield"))
    )
    before, after = (
        report.model_copy(
            update={"findings": (report.findings[0].model_copy(update={"quantities": measured}),)}
        )
        for measured in ((spike, by_yield), (by_yield, spike))
    )
    pairs = {(a.before.value, a.after.value) for a in compare(before, after).amounts}
    assert pairs == {(10.0, 10.0), (70.0, 70.0)}


def test_the_page_speaks_both_languages_and_names_the_samples(reports: dict[str, Report]) -> None:
    told = compare(reports["clean"], reports["rich"])
    assert "Comparison of two runs" in render_comparison(told)
    page = render_comparison(told, "ja")
    assert '<html lang="ja">' in page
    words = ("二つのランの比較", "pig-01", "後のランのみ", "このランになし")
    assert all(word in page for word in words)
    appeared = compare(_nothing_found(reports["rich"]), reports["rich"])
    assert "新規" in render_comparison(appeared, "ja")


def test_the_command_compares_two_files_and_writes_both_pages(
    tmp_path: Path, reports: dict[str, Report]
) -> None:
    for name in ("clean", "rich"):
        (tmp_path / name).mkdir()
        report = reports["rich"] if name == "rich" else _nothing_found(reports["rich"])
        (tmp_path / name / "report.json").write_text(report.model_dump_json())
    paths = [str(tmp_path / "clean"), str(tmp_path / "rich" / "report.json")]
    said = CliRunner().invoke(app, ["compare", *paths, "--json", "--out", str(tmp_path / "out")])
    assert said.exit_code == 0, said.output
    assert json.loads(said.stdout)["findings"][0]["code"] == "ASFV"
    assert {p.name for p in (tmp_path / "out").iterdir()} == {"compare.html", "compare.ja.html"}
    shown = CliRunner().invoke(app, ["compare", *paths, "--language", "ja"])
    assert "二つのランの比較" in shown.stdout
    refused = CliRunner().invoke(app, ["compare", __file__, paths[0]])
    assert refused.exit_code == 4
