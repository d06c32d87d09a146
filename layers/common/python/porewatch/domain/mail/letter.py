"""A mail's content in one language, before it is HTML and text."""

from __future__ import annotations

from typing import Annotated

from pydantic import StringConstraints

from porewatch.domain.base import Model, Moment
from porewatch.domain.mail.occasions import MailKind, Occasion
from porewatch.domain.mail.user_occasions import UserOccasion
from porewatch.domain.reasons.catalogue import REASONS, Catalogue, read
from porewatch.domain.visible import visible

LONGEST_SUBJECT = 150
Line = Annotated[str, StringConstraints(pattern=r"^[^\r\n]*$")]
"""One line: what stands in a header cannot begin another one."""


class Link(Model):
    text: str
    url: str


class Listed(Model):
    """One of several things that a mail is about, and what else is to be said of it."""

    text: str
    url: str
    note: str


class Letter(Model):
    """`facts`: (name, value), one a line. `listed`: what it is about, when that is many things;
    `more`: how many others there are. `links`: the first is what most receivers want. `foot`: why
    he gets it. All texts are plain; nothing of them is markup."""

    language: str
    subject: Line
    heading: str
    paragraphs: tuple[str, ...]
    listed: tuple[Listed, ...] = ()
    more: str = ""
    facts: tuple[tuple[str, str], ...] = ()
    links: tuple[Link, ...] = ()
    foot: tuple[str, ...] = ()
    unsubscribe: str = ""
    account: str = ""


class AboutRun(Model):
    """What a mail says of a run. `name`: the project's own; `root`: address of the pages' root,
    without a slash at its end; `waits`: for a review by this reader."""

    name: str
    project: str
    root: str
    waits: bool = False


def words(language: str) -> Catalogue:
    """What mails say, on top of the words for reasons."""
    texts = {**read(REASONS, language), **read("mail", language)}
    return Catalogue(texts, read("panel", language))


def letter_about(occasion: Occasion, run: AboutRun, language: str, unsubscribe: str) -> Letter:
    """`unsubscribe`: address where mail of this kind is declined."""
    said, kind = words(language), occasion.kind.value
    name = visible(run.name)
    revision = occasion.revision
    facts = [
        (said.text("mail.fact.run"), name),
        (said.text("mail.fact.project"), visible(run.project)),
    ]
    if occasion.outcome is not None:
        result = said.text(f"mail.outcome.{occasion.outcome.value}")
        facts.append((said.text("mail.fact.result"), result))
    if revision:
        facts.append((said.text("mail.fact.revision"), str(revision)))
    facts.append((said.text("mail.fact.time"), utc(occasion.at)))
    subject = said.filled(f"mail.{kind}.subject", {"name": name})
    paragraphs, targets = said.text(f"mail.{kind}.text").split("\n"), TARGETS[occasion.kind]
    if run.waits:
        subject = said.filled("mail.waits.subject", {"subject": subject})
        paragraphs.append(said.text("mail.waits.text"))
        targets = (*targets, "signatures")
    return Letter(
        language=language,
        subject=shortened(subject),
        heading=said.text(f"mail.{kind}.heading"),
        paragraphs=tuple(paragraphs),
        facts=tuple(facts),
        links=tuple(
            Link(
                text=said.text(f"mail.link.{target}"), url=_page(run.root, occasion.run_id, target)
            )
            for target in targets
        ),
        foot=(said.text("mail.foot.sign_in"), said.text(f"mail.foot.{_choice(occasion.kind)}")),
        unsubscribe=unsubscribe,
        account=f"{run.root}/web/account",
    )


def user_letter(occasion: UserOccasion, language: str, root: str, unsubscribe: str) -> Letter:
    """About a tier or an archive. `unsubscribe`: empty for mail that cannot be declined."""
    said, kind = words(language), occasion.kind.value
    facts = []
    if occasion.tier is not None:
        facts.append((said.text("mail.fact.tier"), said.text(f"mail.tier.{occasion.tier.value}")))
    if occasion.until is not None:
        facts.append((said.text("mail.fact.readable_until"), utc(occasion.until)))
    if occasion.kept_until is not None:
        facts.append((said.text("mail.fact.kept_until"), utc(occasion.kept_until)))
    if occasion.files:
        facts.append((said.text("mail.fact.runs"), str(occasion.runs)))
        facts.append((said.text("mail.fact.files"), str(occasion.files)))
    facts.append((said.text("mail.fact.time"), utc(occasion.at)))
    paragraphs = said.text(f"mail.{kind}.text").split("\n")
    if occasion.kind is MailKind.TIER_LOWERED:
        paragraphs.append(said.text(f"mail.{kind}.{'grace' if occasion.until else 'over'}"))
    return Letter(
        language=language,
        subject=said.text(f"mail.{kind}.subject"),
        heading=said.text(f"mail.{kind}.heading"),
        paragraphs=tuple(paragraphs),
        facts=tuple(facts),
        links=(Link(text=said.text("mail.link.runs"), url=f"{root}/web/runs"),),
        foot=(said.text("mail.foot.sign_in"), said.text("mail.foot.account")),
        unsubscribe=unsubscribe,
        account=f"{root}/web/account",
    )


def invitation_letter(
    *, place: str, given_by: str, roles: tuple[str, ...], until: Moment, url: str, language: str
) -> Letter:
    """`place`: the project's or group's name; `given_by`: a name, empty for the operator; `url`:
    with the secret, which is in no other mail."""
    said, name = words(language), visible(place)
    names = said.text("join.comma").join(said.text(f"mail.role.{role}") for role in roles)
    giver = [(said.text("mail.fact.given_by"), visible(given_by))] if given_by else []
    return Letter(
        language=language,
        subject=shortened(said.filled("mail.invitation.subject", {"name": name})),
        heading=said.text("mail.invitation.heading"),
        paragraphs=tuple(said.text("mail.invitation.text").split("\n")),
        facts=(
            (said.text("mail.fact.place"), name),
            *giver,
            (said.text("mail.fact.roles"), names),
            (said.text("mail.fact.until"), utc(until)),
        ),
        links=(Link(text=said.text("mail.link.invitation"), url=url),),
        foot=(said.text("mail.foot.invited"),),
    )


def confirmation_letter(url: str, language: str) -> Letter:
    """`url`: of the page that confirms the address, for who is signed in as its owner."""
    said = words(language)
    return Letter(
        language=language,
        subject=said.text("mail.confirmation.subject"),
        heading=said.text("mail.confirmation.heading"),
        paragraphs=tuple(said.text("mail.confirmation.text").split("\n")),
        links=(Link(text=said.text("mail.link.confirm"), url=url),),
        foot=(said.text("mail.foot.asked"),),
    )


TARGETS: dict[MailKind, tuple[str, ...]] = {
    MailKind.RUN_COMPLETED: ("result", "run", "log"),
    MailKind.RUN_NOT_REPORTABLE: ("result", "run", "log"),
    MailKind.RUN_FAILED: ("run", "log"),
    MailKind.RUN_REFUSED: ("run",),
    MailKind.SUSPICION: ("alerts", "run"),
    MailKind.REPORT_REVIEWED: ("signatures", "result"),
    MailKind.REPORT_RELEASED: ("result", "signatures"),
    MailKind.REPORT_AMENDED: ("result", "signatures"),
}


def shortened(subject: str) -> str:
    """One line, not longer than mail programs show."""
    line = visible(subject)
    return line if len(line) <= LONGEST_SUBJECT else line[: LONGEST_SUBJECT - 1] + "…"


def _page(root: str, run_id: str, target: str) -> str:
    """Pages, which ask for sign-in: a link to a file would open it for whoever has the mail, and
    only for an hour."""
    paths = {
        "run": f"web/runs/{run_id}",
        "result": f"web/runs/{run_id}#report",
        "log": f"web/runs/{run_id}/log",
        "alerts": "web/alerts",
        "signatures": f"web/runs/{run_id}/signatures",
    }
    return f"{root}/{paths[target]}"


def _choice(kind: MailKind) -> str:
    return "suspicions" if kind is MailKind.SUSPICION else "runs"


def utc(at: Moment) -> str:
    """As every mail writes a time."""
    return f"{at:%Y-%m-%d %H:%M} UTC"
