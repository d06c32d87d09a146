"""What mail somebody gets is his choice: on the account page, and by a link in each mail."""

# ruff: noqa: F811

from __future__ import annotations

import json
import os
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import pytest

from porewatch.adapters.people.accounts import Accounts
from porewatch.adapters.people.mail_suppressions import Suppressions
from porewatch.domain import base
from porewatch.domain.base import now
from porewatch.domain.mail.declining import LASTS, Declined, MailGroup, link_holds
from porewatch.domain.mail.suppression import Suppression, SuppressionCode
from porewatch.domain.people.accounts import MailChoice, User
from porewatch.domain.people.roles import Role
from porewatch.domain.reasons.catalogue import languages
from porewatch.edge import wiring
from tests.functional.doors import ROOT, Context, door, send
from tests.functional.mailbox import Mailbox
from tests.functional.test_accounts import ask, by_session
from tests.functional.test_mail import Lab, box, happened, lab  # noqa: F401 - fixtures

if TYPE_CHECKING:
    from playwright.sync_api import Browser


def user_of(lab: Lab, role: Role = Role.VIEWER) -> User:
    found = Accounts(lab.people).user(lab.users[role])
    assert found is not None
    return found


def visit(method: str, token: str, body: str = "") -> dict[str, Any]:
    """What the web function answers to somebody without a session."""
    event = {
        "httpMethod": method, "path": "/v1/web/unsubscribe", "resource": "/web/{page+}",
        "pathParameters": {"page": "unsubscribe"}, "headers": {"host": "abc.example"},
        "multiValueHeaders": {"host": ["abc.example"]}, "isBase64Encoded": False,
        "body": body or None, "queryStringParameters": {"token": token},
        "multiValueQueryStringParameters": {"token": [token]},
        "requestContext": {"authorizer": {"means": "nobody"}, "path": "/v1/web/unsubscribe"},
    }  # fmt: skip
    found: dict[str, Any] = door("web")(event, Context())
    return found


def token_of(box: Mailbox, address: str = "viewer@lab.example") -> str:
    headers = box.to(address)[0]["Content"]["Simple"]["Headers"]
    (link,) = (one["Value"] for one in headers if one["Name"] == "List-Unsubscribe")
    return str(link).strip("<>").partition("token=")[2]


def test_opening_the_link_asks_and_changes_nothing(lab: Lab, box: Mailbox) -> None:
    send("mailer", happened("RunCompleted", lab.run()))
    page = visit("GET", token_of(box))
    assert page["statusCode"] == 200
    assert "Stop mail about finished, failed and refused runs" in page["body"]
    assert "viewer@lab.example" not in page["body"]  # who has the mail need not be who it is for
    assert user_of(lab).mail is MailChoice.ALL


def test_one_click_declines_it_for_good(lab: Lab, box: Mailbox) -> None:
    run_id = lab.run()
    send("mailer", happened("RunCompleted", run_id))
    token = token_of(box)
    for _ in range(2):
        answer = visit("POST", token, urlencode({"List-Unsubscribe": "One-Click"}))
        assert answer["statusCode"] == 204
    assert (user_of(lab).mail, user_of(lab).mail_suspicions) == (MailChoice.NONE, True)
    assert user_of(lab, Role.REVIEWER).mail is MailChoice.ALL
    box.sent.clear()
    send("mailer", happened("RunFailed", run_id, revision=1))
    assert "viewer@lab.example" not in box.addresses
    assert box.sent


def test_suspicions_are_declined_by_themselves(lab: Lab, box: Mailbox) -> None:
    send("mailer", happened("PathogenSuspected", lab.run()))
    visit("POST", token_of(box, "reviewer@lab.example"))
    reviewer = user_of(lab, Role.REVIEWER)
    assert (reviewer.mail, reviewer.mail_suspicions) == (MailChoice.ALL, False)


def test_a_link_that_is_not_ours_declines_nothing(lab: Lab, box: Mailbox) -> None:
    send("mailer", happened("RunCompleted", lab.run()))
    token = token_of(box)
    wrong = token[:-4] + ("AAAA" if not token.endswith("AAAA") else "BBBB")
    for bad in ("", "x", "é", "a" * 3000, wrong):
        for method in ("GET", "POST"):
            assert visit(method, bad)["statusCode"] == 404, bad
    assert user_of(lab).mail is MailChoice.ALL


def test_a_link_of_a_deleted_user_does_nothing(lab: Lab) -> None:
    declined = link_holds("u-" + "a" * 16, MailGroup.RUNS, now())
    assert visit("POST", wiring.unsubscribe_tokens().make(declined))["statusCode"] == 204


def test_a_link_works_for_its_time_and_then_says_what_to_do(
    lab: Lab, box: Mailbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    begin = now()
    send("mailer", happened("RunCompleted", lab.run()))
    token = token_of(box)
    assert LASTS.days == 90
    monkeypatch.setattr(base, "clock", lambda: begin + LASTS + timedelta(seconds=60))
    page = visit("GET", token)
    assert page["statusCode"] == 410
    assert "older than 90 days" in page["body"] and "/web/account" in page["body"]
    assert "data-method" not in page["body"], "there is nothing to press"
    refused = visit("POST", token)
    assert refused["statusCode"] == 409 and "account page" in refused["body"]
    assert user_of(lab).mail is MailChoice.ALL
    monkeypatch.setattr(base, "clock", lambda: begin + LASTS - timedelta(seconds=60))
    assert visit("GET", token)["statusCode"] == 200
    assert visit("POST", token)["statusCode"] == 204
    assert user_of(lab).mail is MailChoice.NONE


def test_a_link_of_a_version_without_times_is_over(lab: Lab) -> None:
    """Nobody knows how old it is."""
    declined = Declined(user_id=lab.users[Role.VIEWER], group=MailGroup.RUNS)
    token = wiring.unsubscribe_tokens().make(declined)
    assert (visit("GET", token)["statusCode"], visit("POST", token)["statusCode"]) == (410, 409)
    assert user_of(lab).mail is MailChoice.ALL


@pytest.mark.parametrize("change", [{"mail_suspicions": False}, {"mail": "failures"}])
def test_choices_are_made_by_the_api(lab: Lab, change: dict[str, Any]) -> None:
    me = by_session(lab.users[Role.VIEWER])
    before = ask("GET", "/me", me)[1]
    assert (before["mail"], before["mail_suspicions"]) == ("all", True)
    status, after = ask("PATCH", "/me", me, change)
    assert status == 200
    assert after == before | change
    assert ask("GET", "/me", me)[1] == after


def test_the_account_says_that_its_address_gets_no_mail(lab: Lab) -> None:
    me = by_session(lab.users[Role.VIEWER])
    assert ask("GET", "/me", me)[1]["mail_suppressed"] is None
    why = Suppression(code=SuppressionCode.BOUNCED, at=now())
    Suppressions(lab.people).add("Viewer@lab.example", why)
    assert ask("GET", "/me", me)[1]["mail_suppressed"] == "bounced"
    assert "viewer" not in json.dumps(str(lab.people.get("MAILBOX#x", "SUPPRESSION")))


def page(lab: Lab, method: str, path: str, role: Role = Role.VIEWER, **query: str) -> int:
    """The status that somebody who is signed in gets from the web function."""
    return int(answer(lab, method, path, role, **query)["statusCode"])


def answer(
    lab: Lab, method: str, path: str, role: Role = Role.VIEWER, **query: str
) -> dict[str, Any]:
    event = {
        "httpMethod": method, "path": f"/v1/web/{path}", "resource": "/web/{page+}",
        "pathParameters": {"page": path}, "headers": {"host": "abc.example"},
        "multiValueHeaders": {"host": ["abc.example"]}, "isBase64Encoded": False, "body": None,
        "queryStringParameters": query or None,
        "multiValueQueryStringParameters": {name: [one] for name, one in query.items()} or None,
        "requestContext": {
            "authorizer": by_session(lab.users[role]), "path": f"/v1/web/{path}", "apiId": "abc",
        },
    }  # fmt: skip
    found: dict[str, Any] = door("web")(event, Context())
    return found


def test_an_address_that_gets_no_mail_can_be_confirmed(lab: Lab, box: Mailbox) -> None:
    assert page(lab, "POST", "account/confirmation") == 404  # it gets mail
    why = Suppression(code=SuppressionCode.BOUNCED, at=now())
    Suppressions(lab.people).add("viewer@lab.example", why)
    assert page(lab, "POST", "account/confirmation") == 204
    assert page(lab, "POST", "account/confirmation") == 409  # one an hour
    (mail,) = box.to("viewer@lab.example")
    text = mail["Content"]["Simple"]["Body"]["Text"]["Data"]
    (link,) = (one for one in text.splitlines() if one.startswith("http"))
    secret = link.partition("?secret=")[2]
    assert page(lab, "GET", "confirm-mail", secret=secret) == 200
    assert page(lab, "POST", "confirm-mail", secret="pwc_" + "b" * 52) == 404
    assert page(lab, "POST", "confirm-mail", Role.REVIEWER, secret=secret) == 404
    assert Suppressions(lab.people).find("viewer@lab.example") is not None
    assert page(lab, "POST", "confirm-mail", secret=secret) == 204
    assert Suppressions(lab.people).find("viewer@lab.example") is None
    assert page(lab, "POST", "confirm-mail", secret=secret) == 404  # once
    box.sent.clear()
    send("mailer", happened("RunCompleted", lab.run()))
    assert len(box.to("viewer@lab.example")) == 1


@pytest.mark.web
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("language", languages())
def test_the_pages_of_mail_can_be_read_by_everybody(
    lab: Lab, browser: Browser, axe: str, language: str, scheme: str
) -> None:
    lab.change(Role.VIEWER, language=language)
    why = Suppression(code=SuppressionCode.BOUNCED, at=now())
    Suppressions(lab.people).add("viewer@lab.example", why)
    declined = link_holds(lab.users[Role.VIEWER], MailGroup.SUSPICIONS, now())
    token = wiring.unsubscribe_tokens().make(declined)
    old = wiring.unsubscribe_tokens().make(declined.model_copy(update={"until": now()}))
    css = (ROOT / "layers/common/python/porewatch/web/static/page.css").read_text()
    window = browser.new_page(
        color_scheme=scheme,  # type: ignore[arg-type]
        viewport={"width": 360, "height": 900},
    )
    for path, query in (
        ("unsubscribe", {"token": token}), ("unsubscribe", {"token": old}),
        ("confirm-mail", {"secret": "x"}), ("account", {}),
    ):  # fmt: skip
        body = answer(lab, "GET", path, **query)["body"]
        assert f'<html lang="{language}">' in body
        window.set_content(body.replace("</head>", f"<style>{css}</style></head>"))
        assert window.evaluate("document.documentElement.scrollWidth") <= 360
        window.evaluate(axe)
        found = window.evaluate("axe.run()")
        assert found["passes"] and found["violations"] == [], path
        if kept := os.environ.get("POREWATCH_SCREENSHOTS"):
            over = "-over" if query.get("token") == old else ""
            window.screenshot(path=f"{kept}/{path}{over}-{language}-{scheme}.png", full_page=True)
    assert window.locator(".note.warn button").count() == 1
    window.close()
