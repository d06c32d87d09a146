"""The PERV page: there when the bundle has PERV, the same in HTML and PDF, alarms first."""

from __future__ import annotations

from dataclasses import replace

from porewatch.domain.calls.findings import PervResult
from porewatch.domain.reasons.reason import verbatim
from porewatch.domain.results.report import Report
from porewatch_worker.report.assemble import assemble
from porewatch_worker.report.compose import compose
from porewatch_worker.report.render_html import render_html
from porewatch_worker.report.render_pdf import render_pdf
from tests.web import made_up


def report_with(*results: PervResult) -> Report:
    inputs = made_up.rich()
    quantification = inputs.quantification.model_copy(update={"perv": results})
    return assemble(replace(inputs, quantification=quantification))


def test_a_bundle_without_perv_has_no_perv_page() -> None:
    ids = [section.id for section in compose(assemble(made_up.rich())).body]
    assert "perv" not in ids


def test_an_alarm_stands_on_the_first_page_and_on_the_perv_page() -> None:
    report = report_with(made_up.perv_result("pig-01", alarms=(made_up.ALARM,)))
    name = f"PERV ALARM, pig-01: {made_up.ALARM.text()}"
    assert name in report.remarks
    page = render_html(report)
    assert page.count("6 junction reads from 6 molecules") >= 2
    for said in ("54.2", "43.4 to 65", "1,210", "1,020 fit host copies too", "808", "691 to 702"):
        assert said in page, said


def test_without_an_alarm_the_page_says_so_and_what_would_have_been_seen() -> None:
    page = render_html(report_with(made_up.perv_result("pig-01")))
    assert "No PERV alarm" in page
    assert "pig-01: 1.2" in page


def test_surrogates_are_named_on_every_line_and_no_type_is() -> None:
    document = compose(
        report_with(made_up.perv_result("pig-01", synthetic=True, alarms=verbatim("S-C: x.")))
    )
    [section] = [s for s in document.body if s.id == "perv"]
    said = repr(section)
    assert "SYNTHETIC-A" in said
    assert all(f"PERV-{kind}'" not in said for kind in "ABC")
    assert "nothing here is about PERV" in said


def test_the_pdf_has_the_page_too() -> None:
    with_page = render_pdf(
        report_with(
            made_up.perv_result("pig-01", alarms=(made_up.ALARM,)), made_up.perv_result("pig-02")
        )
    )
    without = render_pdf(assemble(made_up.rich()))
    assert with_page.startswith(b"%PDF") and len(with_page) > len(without)
