"""What a run costs, on the command line: before, while and after it runs."""

from __future__ import annotations

import gzip
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import boto3
import pytest
from typer.testing import CliRunner

from porewatch.adapters.ledger.budget import Budget
from porewatch.adapters.table import Table
from porewatch.compute.carbon import carbon_factors
from porewatch.compute.price_table import (
    price_list,
    snapshot,
)
from porewatch.domain.errors import Unavailable
from porewatch.domain.forecast.prices import Snapshot
from porewatch.domain.rules import stage_endings
from porewatch.domain.stage.instances import Owner
from porewatch.domain.stage.state_machine_tasks import FailRun
from porewatch_cli.main import app
from porewatch_cli.operate.price_source import (
    SERVICES,
    query_prices,
)
from porewatch_cli.operate.prices import shipped
from porewatch_cli.runs.cost import (
    bill_of,
    show_cost,
)
from porewatch_cli.stack import Stack
from tests.json_output import fits
from tests.unit.usecases.house import KEY, RUN, STAGE, House
from tests.unit.usecases.test_money import end, started

AT = datetime(2026, 12, 1, 8, tzinfo=UTC)
SHELL = CliRunner()


@pytest.fixture
def reads(tmp_path: Path) -> Path:
    file = tmp_path / "a.fastq.gz"
    file.write_bytes(gzip.compress(b"@r\nACGT\n+\nIIII\n" * 1000))
    return file


def test_a_forecast_says_per_stage_how_long_and_how_dear(reads: Path) -> None:
    done = SHELL.invoke(app, ["cost", "forecast", str(reads), "--json"])
    forecast = json.loads(done.stdout)
    assert [stage["stage"] for stage in forecast["stages"]] == ["screen", "report"]
    for stage in forecast["stages"]:
        low, likely, high = stage["spot_usd"]
        assert 0 < low < likely < high < stage["on_demand_usd"][2]
    parts = sum(stage["spot_usd"][1] for stage in forecast["stages"])
    around = forecast["orchestration_usd"] + forecast["files_usd"]
    assert forecast["spot_usd"][1] == pytest.approx(parts + around, abs=2e-6)
    assert forecast["orchestration_usd"] <= 0.005


def test_a_forecast_for_people_has_a_total(reads: Path) -> None:
    done = SHELL.invoke(app, ["cost", "forecast", str(reads)])
    assert done.exit_code == 0
    assert "total" in done.stdout and "unverified" in done.stdout


def test_a_forecast_of_nothing_is_refused_with_the_path(tmp_path: Path) -> None:
    done = SHELL.invoke(app, ["cost", "forecast", str(tmp_path / "no.fastq.gz")])
    assert done.exit_code == 4


@pytest.fixture
def house(ledger: Table, buckets: None) -> House:
    return House(ledger)


@pytest.fixture
def stack(house: House) -> Stack:
    return Stack("s", boto3.Session(region_name="eu-central-1"), {"LedgerTable": "ledger"})


def test_the_bill_of_a_run_splits_and_shows_what_is_held(
    house: House, stack: Stack, capsys: pytest.CaptureFixture[str]
) -> None:
    started(house)
    house.later(minutes=30)
    house.stages.apply(KEY, stage_endings.interrupt, 1, "i-1", 3, house.now)
    end(house)
    house.open()
    house.launch(2)
    show_cost(stack, RUN, as_json=True)
    bill = json.loads(capsys.readouterr().out)
    names = ("useful_usd", "wasted_usd", "boot_usd", "orchestration_usd", "files_usd")
    assert sum(bill[name] for name in names) == pytest.approx(bill["total_usd"], abs=1e-9)
    books = bill["budget"]
    assert books["held_usd"] > 0 and books["settled_usd"] > 0
    assert books["reserved_usd"] == pytest.approx(
        books["settled_usd"] + books["released_usd"] + books["held_usd"]
    )
    assert [one["epoch"] for one in bill["reservations"]] == [1, 2]
    assert bill["interruptions"] == 1
    show_cost(stack, RUN, as_json=False)
    shown = capsys.readouterr().out
    assert "still held" in shown and "orchestration (estimate)" in shown


def lost_machine(house: House) -> None:
    """Half an hour of an m5.2xlarge that was reclaimed, its last checkpoint unknown."""
    started(house)
    house.later(minutes=30)
    house.stages.apply(KEY, stage_endings.interrupt, 1, "i-1", None, house.now)
    end(house)


def test_the_bill_has_the_carbon_of_a_machine_that_was_killed(
    house: House, stack: Stack, capsys: pytest.CaptureFixture[str]
) -> None:
    lost_machine(house)
    show_cost(stack, RUN, as_json=True)
    carbon = json.loads(capsys.readouterr().out)["carbon"]
    (line, files) = carbon["lines"]
    assert (line["instance_id"], line["vcpus"], line["memory_gib"]) == ("i-1", 8, 32)
    assert line["gib_hours"] == pytest.approx(100 * 32 / 60)
    watt_hours = (8 * 2.12 + 32 * 0.392 + 100 * 0.0024) * 32 / 60
    assert line["grams"]["middle"] == pytest.approx(watt_hours * 1.135 * 0.311, abs=1e-4)
    assert files["what"] == "files"
    assert carbon["wasted"]["middle"] == pytest.approx(line["grams"]["middle"] * 30 / 32, abs=1e-4)
    show_cost(stack, RUN, as_json=False)
    shown = " ".join(capsys.readouterr().out.split())
    assert "estimate" in shown and "wasted work (1 interruption)" in shown
    assert "CO2e, 50 % load" in shown and "0.311 kg CO2e for each kWh" in shown


def test_the_load_of_the_estimate_can_be_given(house: House, stack: Stack) -> None:
    lost_machine(house)
    idle, busy = (bill_of(stack, RUN, load)[0].carbon for load in (0.0, 1.0))
    assert idle is not None and idle.total is not None
    assert busy is not None and busy.total is not None
    assert idle.total.middle == idle.total.low == busy.total.low
    assert busy.total.middle == busy.total.high == idle.total.high


def test_a_region_whose_electricity_is_not_known_gets_money_and_no_grams(
    house: House,
    stack: Stack,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    lost_machine(house)
    nowhere = carbon_factors("mx-central-1")
    monkeypatch.setattr("porewatch_cli.runs.cost.carbon_factors", lambda _region: nowhere)
    show_cost(stack, RUN, as_json=False)
    shown = " ".join(capsys.readouterr().out.split())
    assert "the electricity of region mx-central-1 is not in the table" in shown
    assert "CO2e," not in shown


def test_the_bill_of_a_run_that_failed_has_no_estimate_left_in_it(
    house: House, stack: Stack
) -> None:
    lost_machine(house)
    house.fail(
        FailRun.model_validate(
            {
                "action": "fail_run",
                "run_id": RUN,
                "revision": 0,
                "error": "WorkerFailed",
                "cause": "x",
            }
        )
    )
    bill, books, _ = bill_of(stack, RUN)
    assert [(line.what, line.settled) for line in bill.lines] == [
        ("machine", True),
        ("files", True),
        ("orchestration", True),
    ]
    assert books.spent_usd == pytest.approx(bill.total_usd)


def test_a_run_that_never_launched_has_a_bill_too(house: House, stack: Stack) -> None:
    house.seal()
    bill, books, held = bill_of(stack, RUN)
    assert [line.what for line in bill.lines] == ["orchestration", "files"]
    assert (books.spent_usd, held) == (0.0, ())


def test_what_is_no_machine_is_not_among_the_reservations(house: House, stack: Stack) -> None:
    house.seal()
    Budget(house.table).settle(owner_of("orchestration", 0), 0.001, house.now)
    assert bill_of(stack, RUN)[2] == ()
    Budget(house.table).reserve(owner_of(STAGE, 1), 1.0, house.now)
    assert len(bill_of(stack, RUN)[2]) == 1


def owner_of(stage: str, epoch: int) -> Owner:
    return Owner(stack="s", run_id=RUN, revision=0, stage=stage, epoch=epoch)


class Aws:
    """Both services, in the shape that AWS documents. `lists`: the instance types for sale."""

    def __init__(self, *lists: str, services: bool = True) -> None:
        self.lists, self.services = lists, services
        self.requests: list[dict[str, Any]] = []

    def get_paginator(self, verb: str) -> Any:
        answer = {"get_products": self._products, "describe_spot_price_history": self._history}

        class Pages:
            paginate = staticmethod(answer[verb])

        return Pages

    def _products(self, ServiceCode: str, Filters: list[dict[str, str]]) -> list[dict[str, Any]]:  # noqa: N803
        fields = {one["Field"]: one["Value"] for one in Filters}
        self.requests.append({"code": ServiceCode, **fields})
        name = fields.get("instanceType")
        if name not in self.lists if name else not self.services:
            return [{"PriceList": []}]
        tiers = {
            "free": {"beginRange": "0", "pricePerUnit": {"USD": "0.0000000000"}},
            "first": {"beginRange": "0", "pricePerUnit": {"USD": "0.0000005000"}},
            "later": {"beginRange": "1000", "pricePerUnit": {"USD": "9"}},
        }
        if name:
            tiers = {"hour": {"beginRange": "0", "pricePerUnit": {"USD": "0.4000000000"}}}
        product = {"terms": {"OnDemand": {"sku.term": {"priceDimensions": tiers}}}}
        return [{"PriceList": [json.dumps(product)]}]

    def _history(self, **_request: Any) -> list[dict[str, Any]]:
        return [{"SpotPriceHistory": [{"SpotPrice": p} for p in ("0.10", "0.30", "0.12")]}]


def fresh_prices(aws: Aws, *types: str) -> Any:
    return query_prices(
        "eu-west-1", types, pricing=aws, ec2=aws, before=price_list("eu-west-1"), at=AT
    )


def test_fresh_prices_have_date_source_and_the_median_of_spot() -> None:
    aws = Aws("m5.large")
    fresh = fresh_prices(aws, "m5.large")
    assert (fresh.types["m5.large"].on_demand, fresh.types["m5.large"].spot) == (0.4, 0.12)
    assert fresh.snapshot == "2026-12-01, Linux, eu-west-1, verified"
    assert "GetProducts" in fresh.source
    assert fresh.services.sqs_million == 0.5 and fresh.services.s3_put_thousand == 0.0005
    assert all(one["regionCode"] == "eu-west-1" for one in aws.requests)
    assert {one["code"] for one in aws.requests} == {code for code, *_ in SERVICES.values()}


def test_what_aws_does_not_list_keeps_its_price_and_is_named() -> None:
    fresh = fresh_prices(Aws("m5.large"), "m5.large", "c5.large")
    assert fresh.types["c5.large"] == price_list("eu-west-1").types["c5.large"]
    assert not fresh.verified and "c5.large" in fresh.remark


def test_an_aws_that_lists_nothing_changes_nothing() -> None:
    with pytest.raises(Unavailable, match="eu-west-1"):
        fresh_prices(Aws(services=False), "m5.large")


def test_a_refresh_writes_one_region_and_keeps_the_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    aws = Aws(*price_list().types)

    class Session:
        def __init__(self, **_options: Any) -> None: ...
        def client(self, *_service: str, **_more: str) -> Aws:
            return aws

    monkeypatch.setattr("boto3.Session", Session)
    out = tmp_path / "prices.json"
    done = SHELL.invoke(
        app, ["prices", "refresh", "--region", "eu-west-1", "--out", str(out), "--json"]
    )
    assert done.exit_code == 0, done.output
    fits("prices refresh", done.stdout)
    kept = Snapshot.model_validate_json(out.read_text())
    assert kept.of("us-east-1") == snapshot().of("us-east-1")
    assert kept.of("eu-west-1").verified
    assert datetime.now(UTC).date() - kept.of("eu-west-1").taken_at <= timedelta(days=1)


def test_the_file_that_is_refreshed_is_the_one_that_ships() -> None:
    assert Snapshot.model_validate_json(shipped().read_text()) == snapshot()
    assert not snapshot().regions[0].verified, "nobody has read AWS's prices yet"
