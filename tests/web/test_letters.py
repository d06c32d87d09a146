"""Mails as people see them, in a real browser: both languages, light and dark, wide and narrow."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from porewatch.adapters.mail.rendering import rendered
from porewatch.domain.calls.findings import Outcome
from porewatch.domain.mail.letter import (
    TARGETS,
    AboutRun,
    Letter,
    confirmation_letter,
    invitation_letter,
    letter_about,
    user_letter,
)
from porewatch.domain.mail.occasions import MailKind, Occasion
from porewatch.domain.mail.user_occasions import UserOccasion
from porewatch.domain.reasons.catalogue import languages
from porewatch.domain.tiers.tier import TierName

if TYPE_CHECKING:
    from playwright.sync_api import Browser

pytestmark = pytest.mark.web
NAME = "Plasma 7 <b>bold</b> " + "VeryLongName" * 8
ROOT = "https://abc.execute-api.eu-central-1.amazonaws.com/v1"
WIDTHS = (1200, 360)


def letter(kind: MailKind, language: str, name: str = NAME) -> Letter:
    occasion = Occasion(
        kind=kind, run_id="r-" + "a" * 32, revision=1, at=datetime(2026, 12, 1, 3, tzinfo=UTC),
        outcome=Outcome.NOT_REPORTABLE if kind is MailKind.RUN_NOT_REPORTABLE else None,
    )  # fmt: skip
    about = AboutRun(name=name, project="Herd, Basel", root=ROOT)
    return letter_about(occasion, about, language, f"{ROOT}/web/unsubscribe?token=" + "A" * 250)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("language", languages())
@pytest.mark.parametrize("kind", sorted(TARGETS))
def test_a_mail_can_be_read_by_everybody(
    browser: Browser, axe: str, kind: MailKind, language: str, scheme: str
) -> None:
    context = browser.new_context(color_scheme=scheme)  # type: ignore[arg-type]
    page = context.new_page()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.set_content(rendered(letter(kind, language)).html)
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 900})
        assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert asked == []  # nothing is loaded from anywhere: no picture says that it was read
    page.evaluate(axe)
    found = page.evaluate("axe.run()")
    assert found["passes"] and found["violations"] == []
    assert page.locator("b").count() == 0
    dark = page.evaluate("getComputedStyle(document.querySelector('main')).backgroundColor")
    assert dark == ("rgb(20, 25, 30)" if scheme == "dark" else "rgb(255, 255, 255)")
    context.close()


@pytest.mark.parametrize("language", languages())
def test_mails_without_a_run_can_be_read_by_everybody(
    browser: Browser, axe: str, language: str
) -> None:
    at = datetime(2026, 12, 1, 3, tzinfo=UTC)
    lowered = UserOccasion(
        kind=MailKind.TIER_LOWERED, user_id="u-" + "a" * 16, at=at, key="k", tier=TierName.FREE,
        until=at,
    )  # fmt: skip
    letters = [
        user_letter(lowered, language, ROOT, ""),
        confirmation_letter(f"{ROOT}/web/confirm-mail", language),
        invitation_letter(
            place=NAME, given_by=NAME, roles=("viewer", "admin"), until=at,
            url=f"{ROOT}/web/invitation#x", language=language,
        ),
    ]  # fmt: skip
    page = browser.new_page(viewport={"width": 360, "height": 900})
    for one in letters:
        page.set_content(rendered(one).html)
        assert page.evaluate("document.documentElement.scrollWidth") <= 360
        page.evaluate(axe)
        found = page.evaluate("axe.run()")
        assert found["passes"] and found["violations"] == []
        assert one.links[0].url in rendered(one).text
    page.close()


@pytest.mark.parametrize("language", languages())
@pytest.mark.parametrize("kind", sorted(TARGETS))
def test_text_says_all_that_html_says(kind: MailKind, language: str) -> None:
    made = letter(kind, language)
    text = rendered(made).text
    for part in (made.heading, *made.paragraphs, *made.foot, made.unsubscribe, made.account):
        assert part and part in text
    for link in made.links:
        assert link.url in text and link.text in text
    assert made.links and made.facts
    assert "&lt;" not in text and "<b>" in text  # no markup, so nothing to escape


@pytest.mark.parametrize("name", ["a\r\nBcc: x@else.example", "a\u2028b", "a\u202eb", "a" * 5000])
def test_a_subject_is_one_short_line_whatever_a_run_is_called(name: str) -> None:
    subject = letter(MailKind.RUN_COMPLETED, "en", name).subject
    assert len(subject.splitlines()) == 1 and len(subject) <= 150
    assert "\u202e" not in subject
