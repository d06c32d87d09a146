"""Every number of release and bench has its ground, in the data file and in the docs."""

from __future__ import annotations

from pathlib import Path

from porewatch.domain.calls.release_policy import (
    Ground,
    ReleasePolicy,
)
from porewatch.domain.stage.screening_parameters import ScreeningParameters
from porewatch_worker.science.release.policies import release_policies

SCIENCE = Path(__file__).resolve().parents[3] / "docs/science/release.md"
BENCH = {"crossover", "control_factor", "spike_cv", "extraction_cv", "nucleic_acid_cv"}
BENCH |= {"least_recovery"}
NUMBERS = {"min_passed_reads", "min_spike_reads", "spike_recovery", "crosstalk_budget"}
NUMBERS |= {"filtered_remark", "filtered_refuse"}
PLAUSIBLE = {"least_host_share", "most_unassigned_share", "plausible_from_reads"}
NUMBERS |= PLAUSIBLE
OUR_CHOICE = {"min_passed_reads", "min_spike_reads", "filtered_remark", "filtered_refuse"}
OUR_CHOICE |= PLAUSIBLE


def row(ground: Ground) -> str:
    """The line of docs/science/release.md, with the values as they are in force."""
    values = dict.fromkeys(_shown(value) for value in _values(ground.number))
    published = ground.source or "nothing found"
    return f"| `{ground.number}` | {', '.join(values)} | {published} | {ground.why} |"


def _values(number: str) -> list[object]:
    policies = release_policies().policies
    in_policies = [getattr(p, number) for p in policies if number in ReleasePolicy.model_fields]
    of_the_screen = [getattr(ScreeningParameters(), number, None)]
    return [value for value in (*of_the_screen, *in_policies) if value is not None]


def _shown(value: object) -> str:
    if isinstance(value, tuple):
        return " to ".join(f"{part:g}" for part in value)
    return f"{value:,}" if isinstance(value, int) else f"{value:g}"  # type: ignore[str-format]


def test_every_number_has_one_ground() -> None:
    numbers_with_ground = [ground.number for ground in release_policies().grounds]
    numbers = {
        name
        for name, value in release_policies().policies[-1]
        if isinstance(value, int | float) or (isinstance(value, tuple) and value)
    }
    assert numbers == NUMBERS, "a new number of the policy: state what it rests on"
    assert sorted(numbers_with_ground) == sorted(NUMBERS | BENCH)


def test_a_ground_without_a_source_is_not_dressed_up_as_one() -> None:
    unpublished = {g.number for g in release_policies().grounds if not g.source}
    assert unpublished == OUR_CHOICE
    assert all("20" in g.source for g in release_policies().grounds if g.source), "a year"


def test_the_docs_show_every_ground_with_the_value_in_force() -> None:
    page = SCIENCE.read_text(encoding="utf-8").splitlines()
    assert [row(g) for g in release_policies().grounds if row(g) not in page] == []
