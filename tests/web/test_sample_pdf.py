"""The report of one sample: complete for its reader, and silent about everybody else."""

from __future__ import annotations

import io
import json
from dataclasses import asdict

import pytest
from pypdf import PdfReader

from porewatch.domain.findings import Outcome
from porewatch.domain.report import Report
from porewatch_worker.report.assemble import assemble
from porewatch_worker.report.of_sample import compose_sample, file_keys, of_sample
from porewatch_worker.report.render_pdf import render_sample_pdf
from porewatch_worker.report.speech import LANGUAGES, Language
from tests.web import made_up

OUTCOMES = {"donor-01": Outcome.NOT_REPORTABLE, "donor-22": Outcome.REPORTABLE_WITH_REMARKS}


@pytest.fixture(scope="module")
def run24() -> Report:
    """As sealed, and with a reason, a finding and a remark that name a neighbour."""
    report = assemble(made_up.twenty_four())
    samples = tuple(
        s.model_copy(update={"accession": f"ACC-{s.name[-2:]}"}) if s.barcode else s
        for s in report.samples
    )
    outcomes = tuple(
        o.model_copy(update={"reasons": (*o.reasons, "reads of donor-05 strayed here (barcode05)")})
        for o in report.outcomes
    )
    findings = tuple(f.model_copy(update={"remark": "See donor-05."}) for f in report.findings)
    return report.model_copy(
        update={
            "samples": samples,
            "outcomes": outcomes,
            "findings": findings,
            "remarks": (*report.remarks, "Sample donor-05 has no reads.", "ACC-05 came late."),
        }
    )


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", OUTCOMES)
def test_a_page_of_one_sample_names_no_other(run24: Report, name: str, language: Language) -> None:
    book = PdfReader(io.BytesIO(render_sample_pdf(run24, name, language)))
    told = "".join(page.extract_text() for page in book.pages)
    data = json.dumps(asdict(compose_sample(run24, name, language)), ensure_ascii=False)
    assert 2 <= len(book.pages) <= 4
    assert name in told and f"ACC-{name[-2:]}" in told
    assert "NTC" in told and "positive" in told
    for other in run24.samples:
        if other.name in run24.subjects and other.name != name:
            for word in (other.name, other.barcode, other.accession):
                assert word and word not in data, word
                assert word not in told, word


@pytest.mark.parametrize(("name", "outcome"), OUTCOMES.items())
def test_the_decision_is_that_of_the_sample(run24: Report, name: str, outcome: Outcome) -> None:
    mine = of_sample(run24, name)
    assert mine.subjects == {name}
    assert mine.outcome is outcome
    assert mine.detected == {pair for pair in run24.detected if pair[0] == name}


def test_file_keys_are_ascii_and_differ_on_any_file_system(run24: Report) -> None:
    names = ("a", "A", "a b", "a.b", "x.ja", "x")
    base = next(s for s in run24.samples if s.name in run24.subjects)
    samples = tuple(base.model_copy(update={"name": name}) for name in names)
    keys = file_keys(run24.model_copy(update={"samples": samples}))
    assert tuple(keys) == names
    assert len({key.casefold() for key in keys.values()}) == len(names)
    assert all(key.isascii() and "." not in key for key in keys.values())
