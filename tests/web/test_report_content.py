"""What a report says, and what it must never say."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from itertools import combinations
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from porewatch.domain.calls.findings import Call, Outcome, Quantity, SampleOutcome
from porewatch.domain.errors import ManifestRefused
from porewatch.domain.reasons.reason import verbatim
from porewatch.domain.results.report import VOLATILE, Report
from porewatch_worker.report.assemble import ReportInputs, assemble
from porewatch_worker.report.compose import compose
from porewatch_worker.report.parts import colour, numbers
from porewatch_worker.report.parts.document import Table
from porewatch_worker.report.render_html import render_html
from porewatch_worker.report.schema import report_schema, schema_text
from porewatch_worker.report.summary import summary
from tests.web import made_up
from tests.web.colour_vision import EYES, contrast, distance

ROOT = Path(__file__).parents[2]


def _stable(report: Report) -> dict[str, Any]:
    return report.model_dump(exclude=set(VOLATILE))


def _with_outcomes(inputs: ReportInputs, **outcomes: Outcome) -> ReportInputs:
    changed = tuple(
        SampleOutcome(sample=o.sample, outcome=outcomes.get(o.sample, o.outcome), why=o.why)
        for o in inputs.quantification.outcomes
    )
    quantification = inputs.quantification.model_copy(update={"outcomes": changed})
    return replace(inputs, quantification=quantification)


@pytest.mark.parametrize("name", ["rich", "clean", "empty", "crowded", "quantified"])
def test_the_json_report_follows_the_published_schema(
    name: str, reports: dict[str, Report]
) -> None:
    schema = json.loads((ROOT / "docs/report.schema.json").read_text())
    jsonschema.Draft202012Validator.check_schema(schema)
    written = json.loads(reports[name].model_dump_json())
    jsonschema.Draft202012Validator(schema).validate(written)
    broken = written | {"decision": 7}
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.Draft202012Validator(schema).validate(broken)


def test_the_published_schema_is_the_schema_of_the_code() -> None:
    assert (ROOT / "docs/report.schema.json").read_text() == schema_text(), (
        "run: python -m porewatch_worker.report.schema"
    )
    assert set(report_schema()["properties"]) == {
        *Report.model_fields,
        *Report.model_computed_fields,
    }


def test_an_interruption_changes_nothing_but_time_and_money() -> None:
    inputs = made_up.rich()
    later = [
        p.model_copy(update={"finished_at": p.finished_at + timedelta(minutes=9)})
        for p in inputs.phases
    ]
    other = replace(
        inputs,
        phases=tuple(later),
        timeline=(),
        bill=None,
        created_at=inputs.created_at + timedelta(hours=2),
    )
    assert _stable(assemble(inputs)) == _stable(assemble(other))
    assert _stable(assemble(inputs)) != _stable(assemble(made_up.clean()))


def test_every_sample_has_a_finding_for_every_row_of_the_list(reports: dict[str, Report]) -> None:
    for report in reports.values():
        listed = {e.code for e in report.panel}
        pairs = [(f.sample, f.code) for f in report.findings if f.code in listed]
        assert set(pairs) == {(s.name, e.code) for s in report.samples for e in report.panel}
        assert len(pairs) == len(set(pairs))


def test_a_target_outside_the_list_is_told_apart_and_never_dropped() -> None:
    report = assemble(made_up.quantified())
    assert "1 of 1 screened target outside the list detected in 1 of 2 samples: X-SARS2" in (
        report.decision
    )
    assert "X-SARS2" not in {e.code for e in report.panel}
    assert sum(f.code == "X-SARS2" for f in report.findings) == 3
    assert "although the list does not name it" in render_html(report)


def test_a_group_counts_through_its_members_only() -> None:
    report = assemble(made_up.quantified())
    assert ("pig-01", "PERV", Call.ENDOGENOUS) in {
        (f.sample, f.code, f.call) for f in report.findings
    }
    assert "2 of 9 screened panel members detected in 2 of 2 samples" in report.decision
    assert "PERV" not in report.decision and "SYNTHETIC-A" not in report.decision
    assert ("pig-01", "PERV-A") not in report.detected
    assert "PERV" not in {row[1].split(" ")[0] for row in summary(report).findings.rows}


def test_a_row_without_a_result_counts_as_not_screened_and_is_told() -> None:
    inputs = made_up.clean()
    fewer = inputs.quantification.findings[5:]
    quantification = inputs.quantification.model_copy(update={"findings": fewer})
    report = assemble(replace(inputs, quantification=quantification))
    assert [f.call for f in report.findings[:5]] == [Call.NOT_SCREENED] * 5
    assert "5 rows of the list are without a result" in report.decision
    assert any("5 results are missing" in remark for remark in report.remarks)


def test_the_decision_counts_members_samples_and_blind_spots() -> None:
    report = assemble(made_up.crowded(20))
    assert report.decision == (
        "1 of 85 screened panel members detected in 2 of 20 samples: ASFV (critical). "
        "12 rows of the list cannot be seen by sequencing."
    )
    assert assemble(made_up.clean()).decision.startswith("0 of 94 screened panel members")


def test_a_failed_control_makes_the_run_invalid_whatever_the_samples_say() -> None:
    report = assemble(made_up.rich())
    assert report.outcome is Outcome.NOT_REPORTABLE
    assert report.decision.startswith("SYNTHETIC")
    assert "NOT REPORTABLE, no result may be relied on: control NTC failed" in report.decision
    passed = assemble(_with_outcomes(made_up.rich(), NTC=Outcome.REPORTABLE))
    assert passed.outcome is Outcome.REPORTABLE_WITH_REMARKS
    assert "no result may be relied on" not in passed.decision


def test_a_sample_without_an_outcome_is_never_released() -> None:
    inputs = made_up.clean()
    quantification = inputs.quantification.model_copy(update={"outcomes": ()})
    assert (
        assemble(replace(inputs, quantification=quantification)).outcome is Outcome.NOT_REPORTABLE
    )


def test_a_report_is_plainly_released_only_with_both_controls_and_no_remark() -> None:
    inputs = made_up.rich()
    samples = tuple(s for s in inputs.manifest.samples if s.name != "pig-03 empty")
    names = {s.name for s in samples}
    good = replace(
        inputs,
        manifest=made_up.manifest(samples),
        bundle=made_up.bundle(synthetic=False),
        screen=inputs.screen.model_copy(
            update={
                "synthetic": False,
                "unlisted_barcodes": {},
                "samples": tuple(s for s in inputs.screen.samples if s.sample in names),
            }
        ),
        quantification=inputs.quantification.model_copy(
            update={
                "outcomes": tuple(
                    SampleOutcome(sample=name, outcome=Outcome.REPORTABLE) for name in names
                )
            }
        ),
    )
    assert assemble(good).remarks == ()
    assert assemble(good).outcome is Outcome.REPORTABLE
    assert assemble(made_up.clean()).outcome is Outcome.REPORTABLE_WITH_REMARKS


def test_an_unbalanced_read_account_is_told_on_the_first_page() -> None:
    inputs = made_up.clean()
    (only,) = inputs.screen.samples
    lost = only.model_copy(update={"account": only.account.model_copy(update={"host": 1})})
    screen = inputs.screen.model_copy(update={"samples": (lost,)})
    report = assemble(replace(inputs, screen=screen))
    assert any("does not balance" in remark for remark in report.remarks)


def test_a_report_of_another_bundle_or_another_run_is_refused() -> None:
    inputs = made_up.clean()
    other = inputs.screen.model_copy(update={"bundle": "elsewhere@2"})
    with pytest.raises(ManifestRefused, match="elsewhere@2"):
        assemble(replace(inputs, screen=other))
    with pytest.raises(ManifestRefused, match="donor 7 is not in the run's sample sheet"):
        assemble(replace(inputs, manifest=made_up.rich().manifest))


def test_text_from_outside_stays_text_in_the_page() -> None:
    inputs = made_up.clean()
    evil = inputs.quantification.findings[0].model_copy(
        update={
            "call": Call.DETECTED,
            "name": "<script>alert(1)</script>",
            "remarks": verbatim("a < b & c"),
        }
    )
    findings = (evil, *inputs.quantification.findings[1:])
    quantification = inputs.quantification.model_copy(update={"findings": findings})
    page = render_html(assemble(replace(inputs, quantification=quantification)))
    assert "<script" not in page
    assert "&lt;script&gt;alert(1)" in page


def test_the_terminal_gets_the_rows_of_the_printed_report() -> None:
    told = summary(assemble(made_up.rich()))
    assert told.detected == 2
    assert told.findings.rows[0][1] == "ASFV (African swine fever virus)"
    assert "12,300 copies/mL (8,760 to 17,500)" in told.findings.rows[0]
    assert told.cost is not None
    assert told.cost.rows[-1][0].startswith("Total")
    assert all(len(row) == len(told.cost.heads) for row in told.cost.rows)
    assert summary(assemble(made_up.empty())).cost is None


def test_the_bill_adds_up_and_says_where_the_last_machine_is() -> None:
    bill = made_up.rich().bill
    assert bill is not None
    assert bill.total_usd == pytest.approx((310 + 352.4) * 1.4e-5 + 0.0009, abs=2e-6)
    assert bill.saved_usd == pytest.approx((310 + 352.4) * 2.8e-5, abs=2e-6)
    parts = (bill.useful_usd, bill.wasted_usd, bill.boot_usd, bill.orchestration_usd)
    assert sum(part or 0 for part in parts) == pytest.approx(bill.total_usd, abs=1e-9)
    assert bill.wasted_usd == pytest.approx(20 * 1.4e-5, abs=2e-6)
    assert "bill.json" in bill.remark
    assert "60 seconds" in bill.remark


@pytest.mark.parametrize("eyes", EYES)
def test_where_reads_went_is_seen_apart_by_all_eyes(eyes: str) -> None:
    for one, other in combinations(colour.WHERE.values(), 2):
        assert distance(one, other, eyes) > 19.5, (one, other)
    assert distance("#76519e", "#3f74ad", "deuteranopia") < 6  # decoy and unassigned, as they were


def test_every_colour_of_a_plot_stands_out_from_white_and_from_dark_paper() -> None:
    for shade in colour.WHERE.values():
        assert contrast(shade, "#ffffff") >= 3, shade
        assert contrast(shade, "#14191e") >= 3, shade


def test_of_many_findings_the_first_are_open_and_all_are_there(reports: dict[str, Report]) -> None:
    section = next(s for s in compose(reports["many"]).body if s.id == "findings")
    assert [part.folded for part in section.parts] == [False] * 8 + [True] * 32
    few = next(s for s in compose(reports["rich"]).body if s.id == "findings")
    assert not any(part.folded for part in few.parts)


def test_rows_that_were_not_screened_are_folded_and_none_is_lost(
    reports: dict[str, Report],
) -> None:
    report = reports["rich"]
    section = next(s for s in compose(report).body if s.id == "list")
    table, part = section.blocks[0], section.parts[0]
    assert isinstance(table, Table) and isinstance(part.blocks[0], Table)
    assert part.folded and part.title.replace(numbers.GAP, " ") == "Not screened: 13 rows"
    shown = [row[0].text for row in (*table.rows, *part.blocks[0].rows)]
    assert sorted(shown) == sorted(entry.code for entry in report.panel)
    calls = {f.call for f in report.findings if f.code in {r[0].text for r in part.blocks[0].rows}}
    assert calls == {Call.NOT_SCREENED}


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0"),
        (0.0123456, "0.0123"),
        (1.0, "1"),
        (12_345.6, "12,300"),
        (999_999, "1.00 × 10⁶"),
        (1_234_567, "1.23 × 10⁶"),
        (0.00012, "1.20 × 10⁻⁴"),
    ],
)
def test_figures_have_three_digits(value: float, text: str) -> None:
    assert numbers.figure(value).replace(numbers.GAP, " ") == text


def test_shares_never_round_to_nothing_or_to_all() -> None:
    assert numbers.share(1, 100_000).replace(numbers.GAP, " ") == "< 0.1 %"
    assert numbers.share(99_999, 100_000).replace(numbers.GAP, " ") == "> 99.9 %"
    assert numbers.share(0, 0) == numbers.NOTHING
    assert numbers.share(1, 8).replace(numbers.GAP, " ") == "12.5 %"


def test_a_quantity_that_cannot_be_had_says_so() -> None:
    def said(value: float | None, high: float | None) -> str:
        q = Quantity(value=value, low=None, high=high, unit="copies/mL", how=verbatim("m"))
        return numbers.quantity(q).replace(numbers.GAP, " ")

    assert said(None, None) == "not computable"
    assert said(None, 40) == "below 40 copies/mL"
    assert said(7, None) == "7 copies/mL"


def test_what_a_control_holds_and_what_a_group_repeats_are_no_findings() -> None:
    inputs = made_up.rich()
    umbrella = next(e for e in inputs.panel.entries if e.members)
    found = tuple(
        f.model_copy(update={"call": Call.DETECTED}) if f.code == umbrella.code else f
        for f in inputs.quantification.findings
    )
    counted = inputs.quantification.model_copy(update={"findings": found})
    report = assemble(replace(inputs, quantification=counted))
    assert sum(f.call is Call.DETECTED for f in report.findings) == 9
    assert report.detected == {("pig-01", "ASFV"), ("pig-01", "IAV")}


def test_pages_list_the_first_files_of_many_and_the_json_lists_all() -> None:
    report = assemble(made_up.clean())
    first = report.inputs[0]
    many = tuple(first.model_copy(update={"path": f"fastq/{n:05d}.fastq"}) for n in range(10_000))
    large = report.model_copy(update={"inputs": many})
    said = str(compose(large))
    assert "fastq/00299.fastq" in said
    assert "fastq/00300.fastq" not in said
    assert "The first 300 of 10,000 files" in said
    assert large.model_dump_json().count(".fastq") >= 10_000
    assert "The first 300" not in str(compose(report))
