"""Carbon in the report: beside the cost, as an interval, and silent about what is not known."""

from __future__ import annotations

from dataclasses import replace

import pytest

from porewatch.compute.carbon import carbon_factors
from porewatch.domain.money.cost import (
    Bill,
    make_bill,
)
from porewatch.domain.reasons.reason import verbatim
from porewatch.domain.results.report import Report
from porewatch_worker.report.assemble import assemble
from porewatch_worker.report.pages.run_record.carbon import (
    carbon_blocks,
    grams,
)
from porewatch_worker.report.pages.run_record.cost import cost
from porewatch_worker.report.parts.document import (
    Prose,
    Table,
)
from porewatch_worker.report.parts.i18n import speaking
from porewatch_worker.report.parts.languages import Language
from porewatch_worker.report.render_html import render_html
from tests.web import made_up


def a_bill(region: str = "eu-central-1", instance_type: str = "r7i.large") -> Bill:
    lines = tuple(
        line.model_copy(update={"instance_type": instance_type}) if line.seconds else line
        for line in made_up.cost_lines()
    )
    made = made_up.DAWN
    return make_bill(lines, prices=verbatim("p"), as_of=made, factors=carbon_factors(region))


def blocks(bill: Bill) -> tuple[list[Table], str]:
    """Tables of the carbon part, and its sentences."""
    told = carbon_blocks(bill)
    words = " ".join(block.text for block in told if isinstance(block, Prose))
    return [block for block in told if isinstance(block, Table)], words


def a_report(bill: Bill | None) -> Report:
    return assemble(replace(made_up.rich(), bill=bill))


def test_the_cost_section_tells_useful_wasted_and_boot_at_three_loads() -> None:
    bill = a_bill()
    (table,), words = blocks(bill)
    assert [row[0].text for row in table.rows] == [
        "useful work",
        "wasted work",
        "starting machines",
    ]
    assert bill.carbon is not None and bill.carbon.total is not None
    whole = bill.carbon.total
    assert [c.text for c in table.total[1:]] == [
        grams(value) for value in (whole.low, whole.middle, whole.high)
    ]
    assert "estimate" in table.caption and "idle" in table.caption
    for said in ("0.74 to 3.5 W", "0.392 W", "PUE 1.135", "0.311 kg", "2020", "eu-central-1"):
        assert said in words.replace("\u00a0", " "), said
    assert "assumed, not measured" in words and "Left out: making the machines" in words
    assert table in cost(a_report(bill)).blocks


def test_a_region_whose_electricity_is_not_known_has_a_reason_and_no_number() -> None:
    tables, words = blocks(a_bill("mx-central-1"))
    assert tables == []
    assert words == (
        "Carbon: No estimate: the electricity of region mx-central-1 is not in the table."
    )


def test_an_accelerator_whose_watts_are_not_known_is_named() -> None:
    tables, words = blocks(a_bill(instance_type="g6.xlarge"))
    assert tables == []
    assert words == "Carbon: Not covered: the watts of NVIDIA L4 (g6.xlarge) are not known."


@pytest.mark.parametrize(
    ("bill", "said"),
    [
        (
            a_bill("mx-central-1"),
            "炭素排出量：推定なし：リージョン mx-central-1 の電力は表にない。",
        ),
        (
            a_bill(instance_type="g6.xlarge"),
            "炭素排出量：対象外：NVIDIA L4（g6.xlarge）の消費電力は不明。",
        ),
        (a_bill(instance_type="x9.large"), "炭素排出量：対象外：マシン種別 x9.large は表にない。"),
    ],
)
def test_what_is_missing_is_told_in_japanese(bill: Bill, said: str) -> None:
    with speaking("ja"):
        assert blocks(bill)[1] == said


@pytest.mark.parametrize(("language", "head"), [("en", "CO2e, idle"), ("ja", "CO2e（アイドル）")])
def test_the_page_shows_it_in_both_languages(language: Language, head: str) -> None:
    assert head in render_html(a_report(a_bill()), language)
    assert head not in render_html(a_report(None), language)


def test_a_bill_of_before_there_was_an_estimate_is_printed_without() -> None:
    old = a_bill().model_copy(update={"carbon": None})
    assert carbon_blocks(old) == ()
    assert len(cost(a_report(old)).blocks) == 3


def test_grams_become_kilograms() -> None:
    assert [grams(g).replace("\u00a0", " ") for g in (0.5, 999.0, 1234.5)] == [
        "0.5 g",
        "999 g",
        "1.23 kg",
    ]
