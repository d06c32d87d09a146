# ruff: noqa: F811 - fixtures of test_pages
"""The pages about oneself and one's projects: invitations, limits, links to reports, one's data."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest

from porewatch.adapters.items import Add, Item
from porewatch.adapters.ledger.budget import Budget
from porewatch.adapters.ledger.run_moves import SLOTS, UNDER_WAY, project_key
from porewatch.adapters.ledger.runs import RunLedger
from porewatch.adapters.people.accounts import Accounts
from porewatch.adapters.people.credentials import Invitations, ShareLinks
from porewatch.adapters.table import Table
from porewatch.domain.base import now
from porewatch.domain.people.accounts import Group, Quota, User
from porewatch.domain.people.principal import Means, Principal
from porewatch.domain.people.roles import Role
from porewatch.domain.people.secrets import Kind, new_id, new_secret
from porewatch.usecases.people import invite
from porewatch.usecases.people.share_run import NewShare, revoke_share, share
from tests.functional.made_provider import MadeProvider
from tests.functional.test_pages import (
    AT,
    HOSTILE,
    Browser,
    a_run,
    api_key,  # noqa: F401 - a fixture
    completed,
    header,
    member,
    people,  # noqa: F401 - a fixture
    provider,  # noqa: F401 - a fixture
)

OPERATOR = Principal(means=Means.AWS, stack_role=Role.ADMIN)


def admin(people: Table, name: str = "Mika") -> None:
    user = next(user for user in Accounts(people).users() if user.name == name)
    change = {"stack_role": Role.ADMIN}
    Accounts(people).change_user(user.user_id, lambda u: u.model_copy(update=change))


def invited(people: Table, place: str, at: Any = None) -> invite.InvitationMade:
    new = invite.NewInvitation(roles=frozenset({Role.REVIEWER}), email="ben@lab.example")
    return invite.invite(place, new, OPERATOR, at or now(), invitations=Invitations(people))


def offer(browser: Browser, secret: str) -> str:
    answer = browser.ask("/web/invitation?part=offer", **{"x-invitation": secret})
    assert answer["statusCode"] == 200
    return str(answer["body"])


def test_an_invitation_is_a_link_that_keeps_its_secret_out_of_requests(
    provider: MadeProvider, people: Table
) -> None:
    Browser().sign_in(provider)
    made = invited(people, member(people, Role.ADMIN))
    assert made.path == f"/web/invitation#{made.secret}"
    browser = Browser()
    page = browser.ask("/web/invitation")
    assert page["statusCode"] == 200
    assert 'href="../web/sign-in?to=/web/invitation"' in page["body"]
    browser.sign_in(provider, "/web/invitation", sub="u-2", name="Ben")
    assert "data-part=" in browser.ask("/web/invitation")["body"]


def test_who_holds_an_invitation_sees_what_it_offers_before_he_accepts(
    provider: MadeProvider, people: Table
) -> None:
    Browser().sign_in(provider)
    project, ben = member(people, Role.ADMIN), Browser()
    made = invited(people, project)
    ben.sign_in(provider, sub="u-2", name="Ben")
    shown = offer(ben, made.secret)
    assert "<script>alert" not in shown and "&lt;script&gt;alert(1)" in shown
    assert "reviewer" in shown and 'action="../invitations/accept"' in shown
    assert Accounts(people).membership(project, _user(people, "Ben").user_id) is None
    invite.accept(
        invite.Acceptance(secret=made.secret),
        Principal(means=Means.SESSION, user_id=_user(people, "Ben").user_id),
        now(),
        accounts=Accounts(people),
        invitations=Invitations(people),
    )
    assert "You accepted this invitation" in offer(ben, made.secret)
    assert "invitations/accept" not in offer(ben, made.secret)


def test_a_group_invites_by_its_name(provider: MadeProvider, people: Table) -> None:
    browser, group = Browser(), new_id("g")
    browser.sign_in(provider)
    Accounts(people).add_group(Group(group_id=group, name="Clinic", created_at=AT, created_by="u"))
    shown = offer(browser, invited(people, group).secret)
    assert "Clinic" in shown and 'data-then="../web/account"' in shown


def test_an_invitation_that_is_over_says_why(provider: MadeProvider, people: Table) -> None:
    browser = Browser()
    browser.sign_in(provider)
    project = member(people, Role.ADMIN)
    past = invited(people, project, now() - timedelta(days=8))
    assert "expired" in offer(browser, past.secret)
    gone = invited(people, project)
    invite.withdraw(project, gone.invitation_id, invitations=Invitations(people))
    assert "withdrawn" in offer(browser, gone.secret)
    for secret in ("", "x" * 300, new_secret(Kind.INVITATION), new_secret(Kind.SHARE)):
        assert "There is no such invitation" in offer(browser, secret)
    somebody = Browser().ask("/web/invitation?part=offer", **{"x-invitation": past.secret})
    assert somebody["statusCode"] == 303


def test_a_project_shows_its_invitations_and_limits_to_its_admins(
    provider: MadeProvider, people: Table
) -> None:
    browser = Browser()
    browser.sign_in(provider)
    project = member(people, Role.ADMIN)
    quota = Quota(runs_at_once=3, month_usd=99.5)
    Accounts(people).change_project(project, lambda p: p.model_copy(update={"quota": quota}))
    made = invited(people, project)
    page = browser.ask(f"/web/projects/{project}")["body"]
    assert f"/invitations/{made.invitation_id}" in page
    assert made.secret not in page
    assert "99.5" in page and 'name="quota.month_usd"' not in page
    invite.withdraw(project, made.invitation_id, invitations=Invitations(people))
    assert (
        f"/invitations/{made.invitation_id}" not in browser.ask(f"/web/projects/{project}")["body"]
    )
    admin(people)
    page = browser.ask(f"/web/projects/{project}")["body"]
    assert re.search(r'name="quota.month_usd"[^>]* value="99.5"', page)
    assert re.search(r'name="quota.run_gigabytes"[^>]* value=""', page)


def test_links_to_a_report_are_listed_with_how_they_stand(
    provider: MadeProvider, people: Table, cloud: Table
) -> None:
    browser = Browser()
    browser.sign_in(provider)
    run_id = a_run(cloud, member(people, Role.REVIEWER))
    completed(cloud, run_id)
    record, links = RunLedger(cloud).get(run_id), ShareLinks(people)
    who = Principal(means=Means.SESSION, user_id=_user(people, "Mika").user_id, name="Mika")
    new = NewShare(days=1, note=HOSTILE[:100])
    kept, gone, old = (share(record, new, who, now(), links=links) for _ in range(3))
    revoke_share(run_id, gone.share_id, now(), links=links)
    links.change(old.share_id, lambda one: one.model_copy(update={"expires_at": AT}))
    page = browser.ask(f"/web/runs/{run_id}")["body"]
    revocable = set(re.findall(rf'action="\.\./\.\./runs/{run_id}/shares/([0-9a-f]+)"', page))
    assert revocable == {kept.share_id}
    assert kept.secret not in page and "<script>alert" not in page
    assert "Mika" in page and "revoked" in page and "expired" in page
    viewer = Browser()
    viewer.sign_in(provider, sub="u-2", name="Ben")
    seen = a_run(cloud, member(people, Role.VIEWER, name="Ben"))
    completed(cloud, seen)
    share(RunLedger(cloud).get(seen), new, who, now(), links=links)
    assert "/shares" not in viewer.ask(f"/web/runs/{seen}")["body"]


def test_the_account_shows_what_ones_projects_used_and_may_use(
    provider: MadeProvider, people: Table, cloud: Table
) -> None:
    browser = Browser()
    browser.sign_in(provider)
    project = member(people, Role.VIEWER)
    change = {"quota": Quota(runs_at_once=17, month_usd=40.0), "closed": True}
    Accounts(people).change_project(project, lambda p: p.model_copy(update=change))
    month = f"{now():%Y-%m}"
    for place, n in ((project, 3), ("p-aaaaaaaaaaaaaaaa", 5)):
        counted = {"committed": 9_000_000, "spent": 2_500_000}
        cloud.transact(
            [
                Add(Item(project_key(place), SLOTS), {UNDER_WAY: n}),
                Add(Item(project_key(place), f"BUDGET#{month}"), counted),
                Add(Item(project_key(place), "BUDGET#2020-01"), {"spent": 77_000_000}),
            ]
        )
    page = browser.ask("/web/account")["body"]
    row = re.search(rf'project={project}"(.*?)</tr>', page, re.DOTALL)
    assert row and "closed" in row[1]
    assert "3 of 17" in row[1] and "$2.50 of $40.00" in row[1] and "$6.50" in row[1]
    assert "77" not in row[1] and "p-aaaaaaaaaaaaaaaa" not in page
    assert alike_at_once(cloud, project, month)


def alike_at_once(cloud: Table, project: str, month: str) -> bool:
    """Many at once are as one by one."""
    one = Budget(cloud).project_books(project, month)
    return Budget(cloud).books_of_projects([project], month) == {project: one}


@pytest.mark.parametrize(("language", "word"), [("en", "delete"), ("ja", "削除")])
def test_ones_data_go_only_when_one_writes_so(
    provider: MadeProvider, people: Table, language: str, word: str
) -> None:
    browser = Browser(**{"Accept-Language": language})
    browser.sign_in(provider)
    page = browser.ask("/web/account")["body"]
    form = re.search(r'<form[^>]*data-method="DELETE" action="\.\./me".*?</form>', page, re.DOTALL)
    assert form
    field = re.search(r"<input ([^>]*)>", form[0])
    assert field and "required" in field[1] and f'pattern="{word}"' in field[1]
    assert " name=" not in field[1]
    admin(people)  # whom the API refuses
    page = browser.ask("/web/account")["body"]
    assert 'action="../me" data-then' not in page and 'id="delete-me"' in page


def test_users_are_found_by_a_part_of_name_or_address(
    provider: MadeProvider, people: Table
) -> None:
    browser = Browser()
    browser.sign_in(provider)
    admin(people)
    for number in range(60):
        user = User(
            user_id=new_id("u"), issuer="i", subject=f"s{number}", name=f"Ben {number:02d}",
            email=f"b{number}@lab.example", created_at=AT, seen_at=AT,
        )  # fmt: skip
        Accounts(people).add_user(user)
    first = browser.ask("/web/admin")["body"]
    more = re.search(r'rel="next" href="\.\./([^"]+)"', first)
    assert more and "Ben 10" in first and "Ben 59" not in first
    assert "Ben 59" in browser.ask("/" + more[1].replace("&amp;", "&"))["body"]
    found = browser.ask("/web/admin?user=BEN+4")["body"]
    assert found.count("<bdi>Ben ") == 10 and "Ben 49" in found
    assert "Ben 07" in browser.ask("/web/admin?user=b7@lab")["body"]
    assert "No user matches" in browser.ask("/web/admin?user=nobody-here")["body"]
    assert header(browser.ask("/web/admin?month=2026-01"), "Cache-Control") == "no-store"
    assert "2025-12" in browser.ask("/web/admin?month=2026-01")["body"]
    assert browser.ask("/web/admin?month=x")["statusCode"] == 400


def _user(people: Table, name: str) -> User:
    return next(user for user in Accounts(people).users() if user.name == name)
