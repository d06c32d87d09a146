"""Evidence of early screening: sums whose order does not matter, and when the rule is asked."""

from __future__ import annotations

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from porewatch.domain.base import now
from porewatch.domain.early.evidence import (
    EarlyFile,
    EarlyTotals,
    Severe,
    judged_name,
    severe_name,
    to_judge,
    totals_of,
)
from porewatch.domain.runs import InputFile, ReadKind

PAIRS = st.tuples(st.sampled_from(["", "barcode01", "barcode02"]), st.sampled_from(["ASFV", "A|C"]))


def file(number: int, severe: dict[tuple[str, str], int]) -> EarlyFile:
    return EarlyFile(
        run_id="run-1",
        file=InputFile(path=f"fastq/{number}.fastq", kind=ReadKind.FASTQ, size=9),
        etag="e",
        bundle_sha256="0" * 64,
        reads=10,
        bases=100,
        severe=tuple(Severe(barcode, code, n) for (barcode, code), n in severe.items()),
        screened_at=now(),
    )


@given(st.lists(st.dictionaries(PAIRS, st.integers(1, 50)), max_size=6), st.randoms())
def test_totals_are_the_sum_of_files_in_any_order(
    found: list[dict[tuple[str, str], int]], dice: object
) -> None:
    files = [file(number, severe) for number, severe in enumerate(found)]
    amounts: Counter[str] = sum((one.amounts for one in reversed(files)), Counter())
    totals = totals_of(amounts)
    assert (totals.files, totals.reads, totals.bases) == tuple(n * len(files) for n in (1, 10, 100))
    assert totals.severe == sum((Counter(one) for one in found), Counter())


def test_a_file_survives_being_written_and_read() -> None:
    made = file(1, {("barcode01", "ASFV"): 4})
    assert EarlyFile.model_validate_json(made.canonical_json()) == made


def test_the_rule_is_asked_from_three_reads_on_and_with_every_quarter_more() -> None:
    pair = ("", "ASFV")

    def due(reads: int, judged: int = 0, raised: bool = False) -> bool:
        amounts = {severe_name(*pair): reads, judged_name(*pair): judged}
        return bool(to_judge(totals_of(amounts), [pair] if raised else [], 3))

    assert [due(n) for n in (2, 3, 4)] == [False, True, True]
    assert [due(n, judged=8) for n in (8, 9, 10)] == [False, False, True]
    assert not due(50, raised=True)
    assert to_judge(EarlyTotals(), [], 3) == {}
