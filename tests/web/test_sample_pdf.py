"""The report of one sample: complete for its reader, and silent about everybody else."""

from __future__ import annotations

import io
import json
import string
from dataclasses import asdict

import pytest
from pypdf import PdfReader

from porewatch.domain.calls.findings import Outcome
from porewatch.domain.identity import Laboratory
from porewatch.domain.reasons.catalogue import read
from porewatch.domain.reasons.reason import Code, Reason, Value, because, verbatim
from porewatch.domain.results.report import Report
from porewatch.domain.runs import InputFile, ReadKind
from porewatch_worker.report.assemble import assemble
from porewatch_worker.report.of_sample import TERMS, any_of, compose_sample, file_keys, of_sample
from porewatch_worker.report.parts.i18n import say, speaking
from porewatch_worker.report.parts.languages import Language, languages
from porewatch_worker.report.render_pdf import render_sample_pdf
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
        o.model_copy(
            update={"why": (*o.why, *verbatim("reads of donor-05 strayed here (barcode05)"))}
        )
        for o in report.outcomes
    )
    findings = tuple(
        f.model_copy(update={"remarks": verbatim("See donor-05.")}) for f in report.findings
    )
    return report.model_copy(
        update={
            "samples": samples,
            "outcomes": outcomes,
            "findings": findings,
            "remark_reasons": (
                *report.remark_reasons,
                because(Code.SAMPLE_WITHOUT_READS, sample="donor-05"),
                *verbatim("ACC-05 came late."),
            ),
        }
    )


@pytest.mark.parametrize("language", languages())
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


def with_reason(report: Report, reason: str, **changes: object) -> Report:
    outcomes = tuple(o.model_copy(update={"why": verbatim(reason)}) for o in report.outcomes)
    return report.model_copy(update={"outcomes": outcomes, **changes})


def reasons(report: Report, name: str, language: Language = "en") -> tuple[str, ...]:
    mine = of_sample(report, name, language)
    return next(o.reasons for o in mine.outcomes if o.sample == name)


def test_files_of_another_sample_are_covered_and_so_is_whoever_asked_for_it(run24: Report) -> None:
    path = "fastq/barcode05/FarmB_sow.fastq.gz"
    theirs = InputFile(path=path, kind=ReadKind.FASTQ, size=1, barcode="barcode05")
    ours = theirs.model_copy(update={"path": "fastq/any.fastq.gz", "barcode": None})
    told = with_reason(
        run24, f"lost {path}; FarmB_sow.fastq.gz is cut; fastq/any.fastq.gz too; for Dr. Else",
        inputs=(theirs, ours),
        samples=tuple(
            s.model_copy(update={"requester": "Dr. Else"}) if s.name == "donor-05" else s
            for s in run24.samples
        ),
    )  # fmt: skip
    assert reasons(told, "donor-01") == (
        "lost another sample; another sample is cut; fastq/any.fastq.gz too; for another sample",
    )
    assert "Dr. Else" in reasons(told, "donor-05")[0]


def naming(code: Code, name: str) -> Reason:
    """A reason with `name` wherever its text takes words, and a number elsewhere."""
    values: dict[str, Value] = {}
    text = str(read("reasons", "en").get(f"reason.{code.value}", "{text}"))
    for _, place, spec, _ in string.Formatter().parse(text):
        if place:
            joined = spec in ("@comma", "@and", "@or", "@and_then")
            values[place] = (name,) if joined else name if spec in ("", "#state") else 3
    return because(code, **values)


def test_a_neighbour_is_covered_wherever_a_reason_takes_words_but_not_in_terms(
    run24: Report,
) -> None:
    """Also in places that a reason gets tomorrow: only terms are listed."""
    given = [naming(code, "donor-05") for code in Code]
    outcomes = tuple(o.model_copy(update={"why": tuple(given)}) for o in run24.outcomes)
    report = run24.model_copy(update={"outcomes": outcomes, "remark_reasons": tuple(given)})
    mine = of_sample(report, "donor-01")
    why = next(o.why for o in mine.outcomes if o.sample == "donor-01")
    places = {
        (place, "donor-05" in value)
        for reason in why
        for place, value in (reason.values or {}).items()
        if isinstance(value, str | tuple)
    }
    assert {place for place, named in places if named} == TERMS
    assert len(places) > 2 * len(TERMS)
    assert TERMS.isdisjoint(place for place, named in places if not named)
    silent = tuple(before for before, after in zip(given, why, strict=True) if before == after)
    assert mine.remark_reasons == silent, "a remark that names a neighbour is left out"


def test_files_and_stretches_of_a_neighbour_are_covered_and_the_panels_codes_are_not(
    run24: Report,
) -> None:
    path = "fastq/barcode05/a.fastq.gz"
    lost = because(Code.FILE_PROBLEM, path=path, problem="record 3 of donor-05 is cut")
    unit = because(Code.UNIT_RAISED, text="cannot read barcode05")
    why = (
        because(Code.FILE_LOST, count=1, files=(lost,)),
        because(Code.UNIT_NOT_COMPUTED, stretch=f"{path}, reads 1 to 9", why=(unit,)),
        because(Code.POSITIVE_MISSES, codes=("PPV",)),
    )
    outcomes = tuple(o.model_copy(update={"why": why}) for o in run24.outcomes)
    theirs = InputFile(path=path, kind=ReadKind.FASTQ, size=1, barcode="barcode05")
    like_a_virus = tuple(
        s.model_copy(update={"name": "PPV"}) if s.name == "donor-06" else s for s in run24.samples
    )
    changes = {"outcomes": outcomes, "inputs": (theirs,), "samples": like_a_virus}
    assert reasons(run24.model_copy(update=changes), "donor-01") == (
        "incomplete: files of it could not be read (1), and their reads are missing here: "
        "another sample (record 3 of another sample is cut)",
        "incomplete: another sample, reads 1 to 9 could not be computed "
        "(cannot read another sample)",
        "the positive control does not show PPV",
    )


def test_a_name_that_is_a_number_is_covered_where_a_value_is_a_name(run24: Report) -> None:
    blank = next(s for s in run24.samples if s.name == "NTC")
    of_others = {"name": "7", "barcode": "barcode31", "batch": "b2"}
    strayed = (
        because(Code.IN_CONTROL, reads=7, elsewhere=7, control="7"),
        because(Code.CROSSOVER, reads=7, elsewhere=7, sample="7"),
    )
    finding = run24.findings[0].model_copy(update={"why": strayed})
    samples = (*run24.samples, blank.model_copy(update=of_others))
    report = run24.model_copy(update={"samples": samples, "findings": (finding,)})
    (mine,) = of_sample(report, finding.sample).findings
    assert mine.rule == (
        "7 reads beside 7 in the no-template control another sample; "
        "7 reads beside 7 in other samples (another sample): barcode crossover"
    )


def test_a_number_is_another_animal_only_where_names_stand() -> None:
    foreign = any_of({"7", "12", "A1", "A10"})
    for text in (
        "7 reads of the 12 needed",
        "breadth 7% (12 expected)",
        "A100",
        "0.7",
        "(7 reads)",
    ):
        assert not foreign.search(text), text
    for text in ("sample 7 has none", "in other samples (7)", "samples (A10, 12)", "animal 12."):
        assert foreign.search(text), text


def test_what_is_covered_is_in_the_language_of_the_page(run24: Report) -> None:
    told = with_reason(run24, "control donor-05 failed: the positive control does not show HEV")
    assert "another sample" in reasons(told, "donor-01")[0]
    assert "別の検体" in reasons(told, "donor-01", "ja")[0]
    page = json.dumps(asdict(compose_sample(told, "donor-01", "ja")), ensure_ascii=False)
    assert "別の検体" in page and "another sample" not in page


@pytest.mark.parametrize("language", languages())
def test_no_page_points_at_what_it_leaves_out(run24: Report, language: Language) -> None:
    """Three controls and more: no matrix, whose cells lead to the list."""
    more = tuple(
        next(s for s in run24.samples if s.name == "NTC").model_copy(
            update={"name": f"NTC-{n}", "barcode": f"barcode{n}"}
        )
        for n in (31, 32)
    )
    report = run24.model_copy(update={"samples": (*run24.samples, *more)})
    assert render_sample_pdf(report, "donor-22", language).startswith(b"%PDF")
    document = compose_sample(report, "donor-22", language)
    titles = {s.title for s in (*document.front, *document.body)}
    with speaking(language):
        left_out = say("list.title")
    assert left_out not in titles
    said = json.dumps([asdict(s) for s in document.body], ensure_ascii=False)
    assert f"under {left_out}" not in said and f"{left_out}に" not in said
    assert "HOOK" in said, "the codes of all rows that could not be seen"


def test_a_client_of_the_run_stands_only_on_what_was_asked_for_by_its_requester(
    run24: Report,
) -> None:
    lab = Laboratory(laboratory="L", client="Farm A", project="P-7", requester="Dr. A")

    def heads(requesters: dict[str, str]) -> dict[str, str]:
        samples = tuple(
            s.model_copy(update={"requester": requesters.get(s.name)}) for s in run24.samples
        )
        report = run24.model_copy(update={"laboratory": lab, "samples": samples})
        pairs = {n: dict(compose_sample(report, n).letterhead.pairs) for n in OUTCOMES}
        return {name: own.get("Client", "") + own.get("Project", "") for name, own in pairs.items()}

    assert heads({}) == {"donor-01": "Farm AP-7", "donor-22": "Farm AP-7"}
    assert heads({"donor-22": "Dr. B"}) == {"donor-01": "Farm AP-7", "donor-22": ""}
    everybody = dict.fromkeys(run24.subjects, "Dr. A")
    assert heads(everybody) == {"donor-01": "Farm AP-7", "donor-22": "Farm AP-7"}
