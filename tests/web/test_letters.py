"""Mails as people see them, in a real browser: both languages, light and dark, wide and narrow."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from porewatch.adapters.mail.rendering import rendered
from porewatch.domain.calls.findings import Outcome
from porewatch.domain.mail.expiring import MOST_LISTED, Ending, EndingRun, expiring_letter
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


AT = datetime(2026, 12, 8, 6, tzinfo=UTC)
END = datetime(2026, 12, 15, 9, 30, tzinfo=UTC)


def ending(number: int) -> Ending:
    """So many runs end on one day, with names that break what does not wrap."""
    named = min(number, MOST_LISTED)
    runs = tuple(
        EndingRun(
            run_id=f"run-{n}", name=NAME if n == 0 else f"Plasma {n}", project="Herd, Basel",
            until=END + timedelta(minutes=n),
        )
        for n in range(named)
    )  # fmt: skip
    return Ending(
        day=END.date(), count=number, runs=runs, kept_until=END + timedelta(days=90),
        upgrade=TierName.PREMIUM,
    )  # fmt: skip


def letters_to_users(language: str) -> dict[str, Letter]:
    """Mails that are about no single run."""
    token = f"{ROOT}/web/unsubscribe?token=" + "A" * 250
    about = {"user_id": "u-" + "a" * 16, "at": AT, "key": "k"}
    lowered = UserOccasion(kind=MailKind.TIER_LOWERED, tier=TierName.FREE, **about)  # type: ignore[arg-type]
    grace = lowered.model_copy(update={"until": END, "kept_until": END + timedelta(days=90)})
    raised = UserOccasion(kind=MailKind.TIER_RAISED, tier=TierName.PREMIUM, **about)  # type: ignore[arg-type]
    thawed = UserOccasion(kind=MailKind.THAWED, runs=3, files=12, **about)  # type: ignore[arg-type]
    return {
        "expiring": expiring_letter(ending(200), AT, language, ROOT, token),
        "expiring_one": expiring_letter(ending(1), END, language, ROOT, token),
        "lowered": user_letter(lowered, language, ROOT, ""),
        "lowered_grace": user_letter(grace, language, ROOT, ""),
        "raised": user_letter(raised, language, ROOT, ""),
        "thawed": user_letter(thawed, language, ROOT, token),
        "confirmation": confirmation_letter(f"{ROOT}/web/confirm-mail", language),
        "invitation": invitation_letter(
            place=NAME, given_by=NAME, roles=("viewer", "admin"), until=AT,
            url=f"{ROOT}/web/invitation#x", language=language,
        ),
    }  # fmt: skip


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("language", languages())
def test_mails_without_a_run_can_be_read_by_everybody(
    browser: Browser, axe: str, language: str, scheme: str
) -> None:
    page = browser.new_page(color_scheme=scheme)  # type: ignore[arg-type]
    for name, one in letters_to_users(language).items():
        bodies = rendered(one)
        page.set_content(bodies.html)
        for width in (1200, 390):
            page.set_viewport_size({"width": width, "height": 900})
            assert page.evaluate("document.documentElement.scrollWidth") <= width, name
        page.evaluate(axe)
        found = page.evaluate("axe.run()")
        assert found["passes"] and found["violations"] == [], name
        assert one.links[0].url in bodies.text
        for part in (one.heading, *one.paragraphs, one.more, *one.foot, one.unsubscribe):
            assert part in bodies.text
        for line in one.listed:
            assert line.text in bodies.text and line.note in bodies.text and line.url in bodies.text
        if shots := os.environ.get("POREWATCH_SCREENSHOTS"):
            page.screenshot(path=f"{shots}/mail-{name}-{language}-{scheme}.png", full_page=True)
            Path(f"{shots}/mail-{name}-{language}.txt").write_text(bodies.text)
    page.close()


def test_a_mail_of_many_runs_names_some_of_them_and_counts_all() -> None:
    made = letters_to_users("en")["expiring"]
    assert made.subject == "Results of 200 runs will be archived in 7 days"
    assert len(made.listed) == MOST_LISTED and made.more == f"And {200 - MOST_LISTED} runs more."
    assert letters_to_users("en")["expiring_one"].more == ""


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
