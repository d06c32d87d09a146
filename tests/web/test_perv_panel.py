"""Which PERV every animal carries is what the panel of the report says, not the page."""

from __future__ import annotations

from porewatch.domain.calls.panel import PanelEntry
from porewatch_worker.references.panel import shipped_panel
from porewatch_worker.report.pages.results.perv import what_it_is
from porewatch_worker.report.parts.i18n import speaking


def rows(**species: tuple[str, ...]) -> list[PanelEntry]:
    """The shipped PERV rows, endogenous where this says so."""
    known = {e.code.replace("-", "_"): e for e in shipped_panel().entries}
    return [known[n].model_copy(update={"endogenous_in": of}) for n, of in species.items()]


def test_the_shipped_panel_has_two_types_in_pigs_and_one_that_raises_an_alarm() -> None:
    said = what_it_is(shipped_panel().entries)
    assert said.startswith("PERV-A, PERV-B: endogenous in Sus scrofa, carried by every animal")
    assert "PERV-C and A/C recombinants raise an alarm." in said
    with speaking("ja"):
        assert "PERV-A、PERV-B は Sus scrofa に内在し" in what_it_is(shipped_panel().entries)


def test_another_panel_says_another_thing() -> None:
    other = what_it_is(rows(PERV_A=("Sus scrofa", "Sus cebifrons"), PERV_B=(), PERV_C=()))
    assert "PERV-A: endogenous in Sus scrofa, Sus cebifrons, carried" in other
    assert "PERV-B, PERV-C and A/C recombinants raise an alarm." in other
    each = what_it_is(rows(PERV_A=("Sus scrofa",), PERV_B=("Sus cebifrons",)))
    assert "PERV-B: endogenous in Sus cebifrons" in each
    assert "raise an alarm" not in each


def test_a_panel_that_calls_none_endogenous_claims_nothing_about_animals() -> None:
    said = what_it_is(rows(PERV_A=(), PERV_C=()))
    assert "animal" not in said
    assert said.startswith("All reads of PERV are counted")
