"""The first page of a run of 24 samples: every detection, every control, whom to believe."""

from __future__ import annotations

import io
import re
from dataclasses import replace

import pytest
from pypdf import PdfReader

from porewatch.domain.calls.findings import Call, Outcome, SampleOutcome
from porewatch.domain.reasons.reason import verbatim
from porewatch.domain.results.report import Report
from porewatch.domain.runs import SampleRole
from porewatch_worker.report.assemble import assemble
from porewatch_worker.report.compare import compare
from porewatch_worker.report.compare_page import render_comparison
from porewatch_worker.report.compose import compose
from porewatch_worker.report.pages.first_sentence import Verdicts, decide
from porewatch_worker.report.pages.verdicts import badge
from porewatch_worker.report.parts.document import Table
from porewatch_worker.report.parts.languages import Language, languages
from porewatch_worker.report.render_html import render_html
from porewatch_worker.report.render_pdf import render_pdf
from porewatch_worker.report.summary import summary
from tests.web import made_up


@pytest.fixture(scope="module")
def run24() -> Report:
    return assemble(made_up.twenty_four())


@pytest.fixture(scope="module")
def printed24(run24: Report) -> dict[Language, bytes]:
    return {language: render_pdf(run24, language) for language in languages()}


def detections(report: Report) -> set[tuple[str, str]]:
    return set(report.detected)


def test_the_made_run_is_one_of_24_with_many_detections(run24: Report) -> None:
    assert len(run24.samples) == 24
    assert len(detections(run24)) >= 44


def test_every_detection_stands_in_the_matrix_and_leads_to_its_finding(run24: Report) -> None:
    html = render_html(run24)
    marks = re.findall(r'href="#([^"]+)"><span class="heard">(\S+) in ([^:"]+): detected ', html)
    assert {(sample, code) for _, code, sample in marks} >= detections(run24)
    for anchor, _, _ in marks:
        assert html.count(f'id="{anchor}"') == 1
    for link in re.findall(r'href="#([^"]+)"', html):
        assert html.count(f'id="{link}"') == 1, link


@pytest.mark.parametrize("language", languages())
def test_the_first_page_of_the_pdf_holds_every_detection(
    run24: Report, printed24: dict[Language, bytes], language: Language
) -> None:
    first = PdfReader(io.BytesIO(printed24[language])).pages[0].extract_text()
    assert len(re.findall(r"●\s*D", first)) >= len(detections(run24))
    for sample in run24.samples:
        assert sample.name in first


@pytest.mark.parametrize("language", languages())
def test_long_remarks_do_not_push_detections_from_the_first_page(
    run24: Report, language: Language
) -> None:
    said = "Sample donor-05 lost a file, fastq/barcode05/a_long_name.fastq.gz: it is cut short."
    long = run24.model_copy(update={"remark_reasons": verbatim(said) * 40})
    pages = PdfReader(io.BytesIO(render_pdf(long, language))).pages
    assert len(re.findall(r"●\s*D", pages[0].extract_text())) >= len(detections(run24))
    whole = "".join(page.extract_text() for page in pages[:3])
    assert whole.count("a_long_name") >= 40


@pytest.mark.parametrize("language", languages())
def test_every_page_of_the_pdf_says_research_use(
    printed24: dict[Language, bytes], language: Language
) -> None:
    said = {"en": "research use", "ja": "研究用"}[language]
    for page in PdfReader(io.BytesIO(printed24[language])).pages:
        assert said in re.sub(r"\s+", " ", page.extract_text())


def test_the_badge_counts_samples_and_has_the_tone_of_the_worst(run24: Report) -> None:
    cell = badge(run24)
    assert (cell.text, cell.tone) == ("5 reportable · 17 not reportable", "bad")
    one = assemble(made_up.clean())
    assert badge(one).text.startswith("Results reportable")


def test_a_find_in_a_sample_that_is_not_reportable_stands_in_brackets(run24: Report) -> None:
    table = compose(run24).front[0].blocks[0]
    assert isinstance(table, Table)
    by_name = {row[0].text: row for row in table.rows}
    bad = next(o.sample for o in run24.outcomes if o.outcome is Outcome.NOT_REPORTABLE)
    assert by_name[bad][2].text.startswith("(")
    assert "× N" in {cell.text for cell in by_name[bad]}


def test_the_decision_box_holds_the_worst_findings_action() -> None:
    document = compose(assemble(made_up.quantified()))
    worst = next(e for e in assemble(made_up.quantified()).panel if e.code == "ASFV")
    assert document.action.startswith("What to do first, ASFV")
    assert worst.actions[0] in document.action
    assert compose(assemble(made_up.clean())).action == ""


def test_detected_comes_before_indeterminate_whatever_the_severity() -> None:
    shown = summary(assemble(made_up.quantified())).findings
    calls = [row[2] for row in shown.rows]
    assert calls == sorted(calls)  # "detected" < "indeterminate"


def test_reads_are_counted_with_those_of_the_files() -> None:
    inputs = made_up.clean()
    first, *others = inputs.screen.samples
    account = first.account.model_copy(update={"split": 144})
    screen = inputs.screen.model_copy(
        update={"samples": (first.model_copy(update={"account": account}), *others)}
    )
    report = assemble(replace(inputs, screen=screen))
    total = sum(s.account.total for s in report.screens)
    facts = dict(compose(report).facts.pairs)
    told = facts["Reads"].replace("\u00a0", " ")
    assert told.startswith(f"{total:,} reads, from {total - 144:,} in the files (144 split at")
    assert "144 split at adapters" in summary(report).accounting.rows[0][1]


def test_reads_that_came_before_stand_in_the_sentence_of_reads() -> None:
    inputs = made_up.clean()
    first, *others = inputs.screen.samples
    more = {"filtered": first.account.filtered | {"came_before": 30}, "split": 144,
            "total": first.account.total + 30}  # fmt: skip
    account = first.account.model_copy(update=more)
    screen = inputs.screen.model_copy(
        update={"samples": (first.model_copy(update={"account": account}), *others)}
    )
    report = assemble(replace(inputs, screen=screen))
    told = dict(compose(report).facts.pairs)["Reads"].replace("\u00a0", " ")
    assert "in the files (144 split at adapters; 30 came before and count once)" in told
    japanese = dict(compose(report, "ja").facts.pairs)["リード"].replace("\u00a0", " ")
    assert "重複 30" in japanese and "分割 144" in japanese


def test_the_decision_counts_samples_that_may_be_reported(run24: Report) -> None:
    assert "2 of 94 screened panel members detected in 5 of 5 samples" in run24.decision
    assert "Not reportable, but seen in 17 samples: HEV (high), PCV2 (medium)." in run24.decision
    bad = tuple(o.model_copy(update={"outcome": Outcome.NOT_REPORTABLE}) for o in run24.outcomes)
    verdicts = Verdicts(
        samples=run24.samples, outcomes=bad, findings=run24.findings, panel=run24.panel,
        synthetic=False,
    )  # fmt: skip
    assert "seen in 22 samples: HEV" in decide(verdicts)
    nothing = replace(verdicts, findings=[f for f in run24.findings if f.call is not Call.DETECTED])
    assert "detected" not in decide(nothing), "an invalid run never says that nothing was detected"


def test_controls_are_ticks_failing_ones_first() -> None:
    inputs = made_up.twenty_four()
    failed = tuple(
        SampleOutcome(sample=o.sample, outcome=Outcome.NOT_REPORTABLE, why=made_up.NOTHING)
        if o.sample == "positive"
        else o
        for o in inputs.quantification.outcomes
    )
    quantification = inputs.quantification.model_copy(update={"outcomes": failed})
    rows = summary(assemble(replace(inputs, quantification=quantification))).ticks.rows
    assert [row[0].split(" ")[0] for row in rows[:2]] == ["positive", "NTC"]
    assert rows[0][1] == "✗ failed"
    assert "expected PPV; detected PPV (60 reads)" in rows[0][2]
    assert rows[1][1] == "✓ passed"


def test_nothing_appears_or_vanishes_in_a_sample_that_one_run_lacks() -> None:
    a = assemble(made_up.rich())
    names = tuple(s for s in a.samples if s.name != "pig-01")
    b = a.model_copy(update={"samples": names, "findings": tuple(
        f for f in a.findings if f.sample != "pig-01"), "outcomes": tuple(
        o for o in a.outcomes if o.sample != "pig-01"), "screens": tuple(
        s for s in a.screens if s.sample != "pig-01")})  # fmt: skip
    told = compare(a, b)
    assert "pig-01" not in {f.sample for f in told.findings}
    assert {f.sample for f in told.only_before} == {"pig-01"}
    assert told.only_after == ()
    page = render_comparison(told)
    assert "Only in the run before" in page


@pytest.mark.parametrize("language", languages())
def test_a_comparison_with_synthetic_data_says_so(language: Language) -> None:
    real, made = assemble(made_up.clean()), assemble(made_up.quantified())
    assert made.synthetic and not real.synthetic
    for told in (compare(real, made), compare(made, real)):
        assert 'class="synthetic"' in render_comparison(told, language)
    assert 'class="synthetic"' not in render_comparison(compare(real, real), language)


def test_what_the_host_carries_stands_in_the_perv_block_and_not_among_findings() -> None:
    report = assemble(made_up.quantified())
    inherited = {(f.sample, f.code) for f in report.findings if f.call is Call.ENDOGENOUS}
    assert ("pig-01", "PERV-A") in inherited
    sections = {s.id: s for s in compose(report).body}
    told = next(b for b in sections["perv"].blocks if isinstance(b, Table))
    assert {row[0].text for row in told.rows} == {"pig-01", "pig-02"}
    assert all("PERV" not in row[1] and "SYNTHETIC-A" not in row[1]
               for row in summary(report).findings.rows)  # fmt: skip
    assert SampleRole.SAMPLE in {s.role for s in report.samples}
