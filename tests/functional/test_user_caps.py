"""What an admin lets one user begin and spend in a month: beside his tier, at every door, and set
by API and page."""

# ruff: noqa: F811

from __future__ import annotations

import json
import logging
import os
from pathlib import Path
from typing import Any

import pytest

from porewatch.adapters.ledger.budget import Budget
from porewatch.adapters.ledger.runs import RunLedger
from porewatch.adapters.people.accounts import Accounts
from porewatch.adapters.people.entitlements import Entitlements, UserCaps
from porewatch.adapters.people.tier_limits import TierLimits
from porewatch.adapters.table import Table
from porewatch.domain import base
from porewatch.domain.people.roles import Role
from porewatch.domain.people.secrets import new_id
from porewatch.domain.runs import RunState
from porewatch.domain.tiers.caps import KeptCap, UserCap
from porewatch.domain.tiers.tier import TierName, tiers
from porewatch.settings import settings
from tests.cloud.visitor import LOOKS, Look, accessible
from tests.functional.doors import put, send
from tests.functional.made_provider import MadeProvider
from tests.functional.test_account_pages import admin
from tests.functional.test_accounts import ask, by_session
from tests.functional.test_charges import answer
from tests.functional.test_pages import (
    HOST,
    Browser,
    api_key,  # noqa: F401 - a fixture
    people,  # noqa: F401 - a fixture
    provider,  # noqa: F401 - a fixture
)
from tests.functional.test_project_limits import refused_by, register, spend
from tests.functional.test_tier_limits import (
    FREE,
    Lab,
    a_stack_where_premium_is_paid_for,  # noqa: F401 - a fixture
    accounts,  # noqa: F401 - a fixture
    lab,  # noqa: F401 - a fixture
    paid,
    reserved_at_once,
    sealed,
)
from tests.functional.test_uploads import READS, a_member


def capped(lab: Lab, runs: int | None = None, usd: float | None = None) -> None:
    cap = UserCap(month_runs=runs, month_usd=usd)
    kept = KeptCap(user_id=lab["mine user"], cap=cap, set_by="u-admin", at=base.now())
    UserCaps(Table("people")).keep(kept)


@pytest.fixture
def root(accounts: Accounts, lab: Lab) -> str:
    """An admin of the stack."""
    user = a_member(accounts, lab["mine"], Role.VIEWER)
    accounts.change_user(user, lambda u: u.model_copy(update={"stack_role": Role.ADMIN}))
    return user


@pytest.mark.parametrize(
    ("tier", "cap", "most", "code"),
    [
        (TierName.PREMIUM, 2, 2, "cap_month_runs"),
        (TierName.FREE, 2, 2, "cap_month_runs"),
        (TierName.FREE, 9, 5, "tier_month_runs"),
        (TierName.FREE, 5, 5, "cap_month_runs"),
        (TierName.FREE, 0, 0, "cap_month_runs"),
    ],
)
def test_the_strictest_of_tier_and_cap_bounds_the_runs_of_a_month(
    lab: Lab, cloud: Table, tier: TierName, cap: int, most: int, code: str
) -> None:
    paid(lab, tier)
    capped(lab, runs=cap)
    assert tiers()[FREE].month_runs == 5
    for number in range(most):
        assert register(lab, f"run {number}")[0] == 201
    status, found = register(lab, "one more")
    assert (status, found["code"]) == (409, code)
    assert bool(found.get("upgrade")) is (code == "tier_month_runs"), "another tier would not help"
    begun = TierLimits(cloud, Entitlements(Table("people")), FREE, UserCaps(Table("people"))).begun(
        lab["mine user"]
    )
    assert begun == most
    capped(lab)
    paid(lab)
    assert register(lab, "without a cap")[0] == 201


def test_who_has_spent_what_an_admin_lets_him_begins_nothing(
    lab: Lab, runs: RunLedger, cloud: Table
) -> None:
    paid(lab)
    first = register(lab, "one")[1]["run_id"]
    put(f"runs/{first}/fastq/a.fastq", READS)
    event = sealed(first, len(READS))
    assert runs.get(first).state is RunState.SEALED
    capped(lab, usd=3)
    spend(cloud, first, 2.99)
    assert register(lab, "two")[0] == 201
    spend(cloud, first, 0.01)
    assert register(lab, "three")[1]["code"] == "cap_month_spent"
    assert send("fastq_validator", put(f"runs/{first}/fastq/a.fastq", READS)) == []
    assert send("pipeline_orchestrator", event) == []
    assert refused_by(runs, first) == ["cap_month_spent"]


def test_machines_of_a_user_never_pass_his_cap(lab: Lab, cloud: Table) -> None:
    capped(lab, usd=8)
    ids = [register(lab, f"run {n}")[1]["run_id"] for n in range(5)]
    own = TierLimits(cloud, Entitlements(Table("people")), FREE, UserCaps(Table("people")))
    budget = Budget(cloud).limited_by(lambda _: None, own.month_usd)

    said = reserved_at_once(budget, ids, 3)
    assert said.count("held") == 2
    capped(lab, usd=50)
    assert own.month_usd(lab["mine user"]) == tiers()[FREE].month_usd, "the tier is stricter"


def test_where_nobody_pays_a_cap_holds_too(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UNPAID_TIER", "premium")
    settings.cache_clear()
    capped(lab, runs=1)
    assert register(lab, "one")[0] == 201
    assert register(lab, "two")[1]["code"] == "cap_month_runs"


def test_an_admin_sets_it_and_a_line_says_who_whom_before_and_after(
    lab: Lab, root: str, caplog: pytest.LogCaptureFixture
) -> None:
    user = lab["mine user"]
    path, cap = f"/users/{user}", {"month_runs": 1, "month_usd": 2.5}
    with caplog.at_level(logging.INFO, "porewatch.usecases.people.manage_users"):
        status, found = ask("PATCH", path, by_session(root), {"cap": cap})
    assert (status, found["cap"]) == (200, cap)
    line = next(m for m in caplog.messages if "capped" in m)
    assert root in line and user in line
    before, _, after = line.partition(" -> ")
    assert before.endswith(UserCap().canonical_json())
    assert json.loads(after) == cap
    assert register(lab, "one")[0] == 201
    assert register(lab, "two")[1]["code"] == "cap_month_runs"
    mine = ask("GET", "/me/tier", by_session(user))[1]
    assert mine["cap"] == cap
    listed = ask("GET", "/users", by_session(root))[1]["users"]
    assert next(one for one in listed if one["user_id"] == user)["cap"] == cap
    assert ask("PATCH", path, by_session(root), {"disabled": False})[1]["cap"] == cap, "it stays"
    gone = ask("PATCH", path, by_session(root), {"cap": {}})[1]["cap"]
    assert gone == {"month_runs": None, "month_usd": None}
    assert register(lab, "two")[0] == 201


@pytest.mark.parametrize(
    "cap", [{"month_runs": -1}, {"month_usd": -0.5}, {"month_usd": "inf"}, {"month_runs": 1.5}]
)
def test_no_cap_is_nonsense_and_nobody_else_sets_one(
    lab: Lab, root: str, cap: dict[str, Any]
) -> None:
    path = f"/users/{lab['mine user']}"
    assert ask("PATCH", path, by_session(root), {"cap": cap})[0] == 400
    assert ask("PATCH", path, by_session(lab["mine user"]), {"cap": {}})[0] == 403
    assert ask("PATCH", f"/users/{new_id('u')}", by_session(root), {"cap": {}})[0] == 404
    assert UserCaps(Table("people")).of(lab["mine user"]) == UserCap()


def test_the_pages_show_and_set_it(provider: MadeProvider, people: Table) -> None:
    browser = Browser(**{"Accept-Language": "en"})
    browser.sign_in(provider)
    admin(people)
    user = next(Accounts(people).users())
    cap = UserCap(month_runs=7, month_usd=12.5)
    UserCaps(people).keep(KeptCap(user_id=user.user_id, cap=cap, set_by="u", at=base.now()))
    page = browser.ask("/web/admin")["body"]
    assert 'name="cap.month_runs" min="0" step="1" value="7"' in page
    assert 'name="cap.month_usd" min="0" step="any" value="12.5"' in page
    account = browser.ask("/web/account")["body"]
    assert "An admin set limits of your own" in account and "12.50 USD" in account


@pytest.mark.web
@pytest.mark.parametrize("look", LOOKS, ids=str)
def test_pages_of_caps_are_accessible(
    look: Look, provider: MadeProvider, people: Table, cloud: Table, browser: Any, axe: str
) -> None:
    visitor = Browser()
    visitor.sign_in(provider)
    Browser().sign_in(provider, sub="u-2", name="Ben")
    admin(people)
    locale, scheme, width = look
    user = next(one for one in Accounts(people).users() if one.name == "Mika")
    cap = UserCap(month_runs=7, month_usd=12.5)
    UserCaps(people).keep(KeptCap(user_id=user.user_id, cap=cap, set_by="u", at=base.now()))
    language = {"language": locale[:2]}
    Accounts(people).change_user(user.user_id, lambda u: u.model_copy(update=language))
    context = browser.new_context(
        locale=locale, color_scheme=scheme, viewport={"width": width, "height": 900}
    )
    page = context.new_page()
    page.route("**/*", lambda route: answer(visitor, route))
    for path in ("/web/admin", "/web/account"):
        page.goto(f"https://{HOST}/v1{path}")
        accessible(page, axe, width)
        if kept := os.environ.get("POREWATCH_SCREENSHOTS"):
            name = f"caps-{path.rsplit('/')[-1]}-{locale}-{scheme}-{width}.png"
            page.screenshot(path=Path(kept) / name, full_page=True)
    context.close()
