"""At how much of a budget people are warned, and what they read."""

from __future__ import annotations

from datetime import UTC, datetime
from string import Formatter

import pytest

from porewatch.domain.facts.stage_facts import BudgetReached
from porewatch.domain.notices.budget_warning import (
    THRESHOLDS,
    of_account,
    of_run,
    threshold_of,
    warning,
    warning_id,
)
from porewatch.domain.notices.texts import texts
from porewatch.domain.reasons.catalogue import languages

WHEN = datetime(2026, 11, 28, tzinfo=UTC)


def reached(spent: float, threshold: int, budget: float = 25.0) -> BudgetReached:
    return BudgetReached(
        fact_id=warning_id(of_run("run-1", 2), budget, threshold),
        run_id="run-1",
        revision=2,
        at=WHEN,
        cost_usd=spent,
        budget_usd=budget,
        threshold=threshold,
    )


@pytest.mark.parametrize(
    ("spent", "budget", "threshold"),
    [
        (0.0, 25.0, None),
        (19.999999, 25.0, None),
        (20.0, 25.0, 80),
        (24.999999, 25.0, 80),
        (25.0, 25.0, 100),
        (400.0, 25.0, 100),
        (0.3 * 0.8, 0.3, 80),  # 0.24 in binary is a little less
        (5.0, 0.0, None),
        (0.0, 0.0, None),
        (0.000001, 0.000001, 100),
    ],
)
def test_the_highest_threshold_counts(spent: float, budget: float, threshold: int | None) -> None:
    assert threshold_of(spent, budget) == threshold


def test_each_threshold_and_each_budget_has_a_key_of_its_own() -> None:
    whose = (of_run("run-1", 0), of_run("run-1", 1), of_account("2026-11"))
    assert len({warning_id(w, b, t) for w in whose for b in (25, 50) for t in THRESHOLDS}) == 12


@pytest.mark.parametrize(
    ("spent", "threshold", "percent"), [(20.0, 80, 80), (24.99, 80, 99), (30.0, 100, 120)]
)
def test_a_warning_has_percentage_sum_and_limit_in_every_language(
    spent: float, threshold: int, percent: int
) -> None:
    notice = warning(reached(spent, threshold))
    assert f"{percent} %" in notice.subject
    texts = notice.body.split("\n----\n")
    assert len(texts) == len(languages())
    for text in texts:
        for part in ("run-1", f"{percent} %", f"{spent:.2f} USD", "25.00 USD", "RunBudgetUsd"):
            assert part in text


def test_near_and_used_up_differ() -> None:
    near, used = warning(reached(20.0, 80)), warning(reached(25.0, 100))
    assert "goes on" in near.body
    assert "no further one is launched" in used.body
    assert "no further one is launched" not in near.body
    month = {"month": "2026-11"}
    account = [warning(reached(20.0, t).model_copy(update=month)) for t in (80, 100)]
    assert len({one.body for one in account}) == 2


@pytest.mark.parametrize(("spent", "threshold"), [(20.0, 80), (25.0, 100)])
def test_the_warning_of_the_account_names_month_and_its_own_remedy(
    spent: float, threshold: int
) -> None:
    notice = warning(reached(spent, threshold).model_copy(update={"month": "2026-11"}))
    assert "account" in notice.subject and "2026-11" in notice.subject
    for text in notice.body.split("\n----\n"):
        for part in ("2026-11", "run-1", f"{spent:.2f} USD", "25.00 USD", "AccountBudgetUsd"):
            assert part in text
    assert "RunBudgetUsd" not in notice.body


def test_every_language_has_every_text_with_the_same_placeholders() -> None:
    def places(language: str) -> dict[str, set[str]]:
        return {
            key: {name for _, name, _, _ in Formatter().parse(text) if name}
            for key, text in texts(language).items()
        }

    for language in languages():
        assert places(language) == places("en")
        assert all(text.strip() for text in texts(language).values())


def test_an_earlier_version_warned_at_100_percent_only() -> None:
    stored = reached(25.0, 100).model_dump(mode="json")
    del stored["threshold"]
    assert BudgetReached.model_validate(stored).threshold == 100
