"""Every refusal has a stable code, and the page lists all of them."""

from __future__ import annotations

from porewatch.domain.errors import (
    CapacityUnavailable,
    InputRefused,
    SampleSheetRefused,
    SeveralRefused,
)
from porewatch.domain.reasons.reason import (
    PeopleCode,
    RefusalCode,
    RunCode,
    SignatureCode,
    SignInCode,
    because,
)
from porewatch.domain.records.refusal import LONGEST_VALUE, MOST_REFUSALS, refusals_of
from porewatch_local.generated.refusal_codes import PAGE, kinds, page


def test_the_page_is_what_the_code_says() -> None:
    assert PAGE.read_text(encoding="utf-8") == page()


def test_codes_of_kinds_differ_from_each_other_and_from_those_that_say_more() -> None:
    codes = [kind("").code for kind in kinds()]
    more = [*RefusalCode, *SignInCode, *PeopleCode, *SignatureCode]
    assert len({*codes, *more}) == len(codes) + len(more)


def test_a_refusal_has_the_code_of_its_reason_or_of_its_kind() -> None:
    why = because(RefusalCode.SHEET_NAME_TWICE, value="pig", first=2)
    fault = SampleSheetRefused(why, file="s.csv", line=4, column="name")
    assert (fault.code, fault.problem) == (
        "sheet_name_twice",
        "name 'pig' was already given in line 2.",
    )
    (told,) = refusals_of(fault)
    assert (told.code, told.values, told.line) == (fault.code, {"value": "pig", "first": 2}, 4)
    assert InputRefused("x").code == "input_refused"
    assert CapacityUnavailable(because(RunCode.POOLS_REFUSED)).code == "pools_refused"


def test_each_fault_of_several_has_its_own_and_there_is_an_end() -> None:
    faults = [InputRefused("x", file=f"{n}.fastq") for n in range(MOST_REFUSALS + 9)]
    told = refusals_of(SeveralRefused(faults))
    assert [one.file for one in told] == [f"{n}.fastq" for n in range(MOST_REFUSALS)]


def test_a_long_value_is_cut_as_the_record_of_a_run_has_a_limit() -> None:
    why = because(RefusalCode.SHEET_NO_BARCODE, sample="x" * 100_000)
    (told,) = refusals_of(SampleSheetRefused(why))
    assert told.values == {"sample": "x" * LONGEST_VALUE}
