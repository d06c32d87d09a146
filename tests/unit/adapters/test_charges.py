"""What runs of a project are charged, in the writes by which they change."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from porewatch.adapters.ledger.runs import RunLedger
from porewatch.adapters.money.charges import Charges
from porewatch.adapters.money.facility_rates import FacilityRates
from porewatch.adapters.table import Table
from porewatch.domain.calls.findings import Outcome
from porewatch.domain.calls.verdict import Verdict
from porewatch.domain.money.charges import Charge, Rates
from porewatch.domain.people.roles import DEFAULT_PROJECT
from porewatch.domain.rules import run_endings
from porewatch.domain.sealing import input_file, seal
from tests.mocked import make_ledger

AT = datetime(2026, 3, 30, tzinfo=UTC)
DAY = timedelta(days=1)
SAMPLES = Verdict(outcome=Outcome.REPORTABLE, samples={Outcome.REPORTABLE: 3}, calls={})


def begin(runs: RunLedger, at: datetime, names: str) -> None:
    """The next revision of run r."""
    files = [input_file(f"fastq/{name}.fastq", 5) for name in names]
    manifest = seal(files, run_id="r", created_at=at)
    runs.seal(manifest, sealed_by="run.json", at=at)
    runs.start(manifest, execution_arn=f"x{names}", bundle="demo@1", at=at)


def complete(runs: RunLedger, revision: int, usd: float, at: datetime, total: float = 0.0) -> None:
    runs.apply(
        "r", run_endings.complete, revision,
        report_keys={"report.json": "k"}, findings=0, cost_usd=usd, at=at, verdict=SAMPLES,
        bases=7, total_usd=total,
    )  # fmt: skip


def months(ledger: Table) -> dict[str, list[Charge]]:
    """By run; the sums of the project are the same, as it has one run."""
    charges, both = Charges(ledger), ("2026-03", "2026-04")
    found = {month: list(charges.of(DEFAULT_PROJECT, month)) for month in both}
    sums = charges.of_months(DEFAULT_PROJECT, both)
    for month, by_run in found.items():
        same = [one.model_copy(update={"run_id": "all"}) for one in by_run]
        assert [sums[one] for one in sums if one == month] == same
        assert list(charges.of_month(month).values()) == same
    return found


def charge(usd: float, reports: int) -> Charge:
    counts = {"reports": reports, "samples": 3 * reports, "bases": 7 * reports}
    return Charge(run_id="r", cost=round(usd * 1_000_000), **counts)


def test_a_cost_is_charged_once_and_in_the_month_in_which_it_is_settled(ledger: Table) -> None:
    runs = RunLedger(ledger)
    begin(runs, AT, "a")
    for usd in (0.5, 0.5, 0.4, 1.25):  # bills come twice, and an older one after a newer one
        runs.apply("r", run_endings.cost, usd, AT)
    complete(runs, 0, 1.5, AT + DAY)
    complete(runs, 0, 1.5, AT + DAY)
    runs.apply("r", run_endings.cost, 1.75, AT + 2 * DAY)
    assert months(ledger) == {"2026-03": [charge(1.5, 1)], "2026-04": [charge(0.25, 0)]}


def test_each_report_counts_once_also_when_a_later_revision_comes_to_nothing(
    ledger: Table,
) -> None:
    runs = RunLedger(ledger)
    begin(runs, AT, "a")
    complete(runs, 0, 1.0, AT)
    begin(runs, AT, "ab")
    runs.apply(
        "r", run_endings.fail, 1,
        stage="s", error="X", problem="p", refused=False, at=AT,
    )  # fmt: skip
    assert runs.get("r").revision == 0, "the report of the first revision stands"
    assert months(ledger)["2026-03"] == [charge(1.0, 1)]
    begin(runs, AT, "abc")
    runs.apply("r", run_endings.cost, 3.0, AT)  # its machines; then the overhead of the revision
    complete(runs, 2, 2.25, AT, total=3.25)
    assert months(ledger)["2026-03"] == [charge(3.25, 2)]


@pytest.mark.usefixtures("aws")
def test_rates_are_kept_by_month() -> None:
    kept = FacilityRates(make_ledger("people"))
    assert kept.all() == ()
    first, second = (Rates(from_month=f"2026-0{n}", sample_usd=n) for n in (3, 5))
    for rates in (second, first, first.model_copy(update={"sample_usd": 9.0})):
        kept.keep(rates)
    assert kept.all() == (first.model_copy(update={"sample_usd": 9.0}), second)


@pytest.mark.parametrize("usd", [0.1, 0.7, 1.1])
def test_money_adds_up_to_the_millionth(ledger: Table, usd: float) -> None:
    runs = RunLedger(ledger)
    begin(runs, AT, "a")
    for number in range(1, 8):
        runs.apply("r", run_endings.cost, usd * number, AT)
    (found,) = Charges(ledger).of(DEFAULT_PROJECT, "2026-03")
    assert found.cost == round(usd * 7 * 1_000_000)
