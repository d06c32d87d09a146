"""Every reason has a text in every language, with the same places; no text is elsewhere."""

from __future__ import annotations

import math
import string
from collections.abc import Iterator

import pytest
from pydantic import ValidationError

from porewatch.domain.calls.findings import Finding, Quantity, SampleOutcome
from porewatch.domain.reasons.catalogue import SOURCE, catalogue, languages, read
from porewatch.domain.reasons.reason import CODES, Code, Reason, Reasons, because, clauses, verbatim

OTHERS = [language for language in languages() if language != SOURCE]


def places(text: str) -> Iterator[str]:
    yield from (name for _, name, _, _ in string.Formatter().parse(text) if name)


def test_the_source_language_is_first_and_japanese_is_there() -> None:
    assert languages()[0] == SOURCE
    assert "ja" in languages()


@pytest.mark.parametrize("language", languages())
def test_every_code_has_a_text_and_every_text_a_code(language: str) -> None:
    listed = {key.removeprefix("reason.") for key in read("reasons", language) if "reason." in key}
    wordless = {Code.PANEL_NOTE.value}  # said by the panel's own catalogue
    assert listed == {code.value for code in CODES} - wordless


@pytest.mark.parametrize("language", OTHERS)
def test_all_languages_fill_the_same_places(language: str) -> None:
    english, other = read("reasons", SOURCE), read("reasons", language)
    assert set(english) == set(other)
    for key, text in english.items():
        if key.startswith("reason."):
            assert set(places(text)) == set(places(other[key])), key


@pytest.mark.parametrize("language", languages())
def test_every_noun_has_a_form_for_every_number(language: str) -> None:
    texts = catalogue(language)
    nouns = [key.removeprefix("noun.") for key in read("reasons", language) if "noun." in key]
    assert nouns
    for noun in nouns:
        assert all(texts.counted(noun, n) for n in (0, 1, 2, 5, 11, 21, 100))


def test_numbers_take_the_plural_form_of_their_language() -> None:
    one, two = (because(Code.FEW_READS, reads=n, needed=3) for n in (1, 2))
    assert (one.text(), two.text()) == ("1 read of the 3 needed", "2 reads of the 3 needed")
    assert one.text("ja") == "必要な 3 リードに対し 1 リード"


def test_a_reason_within_a_reason_is_said_in_the_same_language() -> None:
    control = because(Code.CONTROL_OF_BATCH, control="pos", batch="b1")
    why = because(Code.POSITIVE_MISSES, codes=("V", "MT"))
    failed = because(Code.CONTROL_FAILED, control=control, why=why)
    assert failed.text() == (
        "control pos of batch b1 failed: the positive control does not show V, MT"
    )
    assert failed.text("ja") == "バッチ b1 の対照 pos が不合格：陽性対照で V、MT が検出されない"
    assert Reason.model_validate_json(failed.model_dump_json()) == failed


FINDING = {"sample": "s", "code": "V", "name": "virus", "severity": "low", "call": "indeterminate"}


def test_texts_of_version_1_stay_as_they_are_and_have_codes() -> None:
    rule = "9 reads beside 900 in other samples (t): barcode crossover"
    old = Finding.model_validate({**FINDING, "rule": rule, "reasons": ["crossover"],
                                  "remark": "A remark."})  # fmt: skip
    assert (old.rule, old.remark) == (rule, "A remark.")
    assert old.has(Code.CROSSOVER) and not old.has(Code.RELATIVE)
    assert clauses(old.why, "ja") == rule, "nobody guesses at its numbers"
    again = Finding.model_validate_json(old.model_dump_json())
    assert again == old


def test_every_kind_of_text_of_version_1_is_read() -> None:
    quantity = {"value": 1.0, "low": None, "high": None, "unit": "u", "method": "m", "remark": "r"}
    amount = Quantity.model_validate(quantity)
    assert (amount.method, amount.remark) == ("m", "r")
    stored = {"sample": "s", "outcome": "not_reportable", "reasons": ["a", "b"],
            "codes": ["file_lost"]}  # fmt: skip
    outcome = SampleOutcome.model_validate(stored)
    assert outcome.reasons == ("a", "b")
    assert outcome.has(Code.FILE_LOST)


def test_codes_of_a_later_version_are_read_by_their_texts() -> None:
    later = {**FINDING, "rule": "seen by a rule of tomorrow", "remark": "",
             "why": [{"code": "rule_of_tomorrow", "values": {"n": 1}}]}  # fmt: skip
    assert Finding.model_validate(later).rule == "seen by a rule of tomorrow"


@pytest.mark.parametrize("number", [math.inf, -math.inf, math.nan])
def test_a_value_that_json_cannot_write_is_refused(number: float) -> None:
    """It would be written as null, and no reader would take that."""
    with pytest.raises(ValidationError, match="finite"):
        because(Code.COPIES, value=number)


def test_texts_follow_from_the_reasons_and_cannot_be_set_beside_them() -> None:
    why: Reasons = (because(Code.NO_READ),)
    forged = {**FINDING, "why": [r.model_dump() for r in why], "rule": "detected"}
    assert Finding.model_validate(forged).rule == "no read of this target"
    with pytest.raises(TypeError, match="no field rule"):
        Finding.model_validate({**FINDING, "why": verbatim("x")}).__class__(rule="x")  # type: ignore[call-arg]
