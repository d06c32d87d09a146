"""docs/events.md follows the code and the template."""

from porewatch.domain.facts.events import FACTS
from porewatch_local.generated.event_page import (
    PAGE,
    ROOT,
    page,
    readers,
)
from porewatch_local.stack_template.template import Template

TEMPLATE = Template.load(ROOT / "template.yaml")


def test_the_page_is_not_stale() -> None:
    assert PAGE.read_text() == page(TEMPLATE), "run python -m porewatch_local.generated.event_page"


def test_every_fact_has_a_sentence_and_a_reader() -> None:
    for name, fact in FACTS.items():
        assert fact.__doc__ and fact.__doc__.strip().endswith("."), name
        assert readers(TEMPLATE, name), name


def test_a_danger_reaches_the_alert_handler() -> None:
    assert "alert_handler" in readers(TEMPLATE, "PathogenSuspected")
    assert "cost_tracker" not in readers(TEMPLATE, "PathogenSuspected")
