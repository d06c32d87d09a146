"""Of admins who take each other's role, or leave, at the same moment, one is left."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from porewatch.adapters.people.accounts import Accounts
from porewatch.adapters.people.credentials import Sessions
from porewatch.adapters.people.entitlements import UserCaps
from porewatch.adapters.table import Table
from porewatch.domain.base import now
from porewatch.domain.errors import PorewatchError
from porewatch.domain.people.accounts import Project
from porewatch.domain.people.principal import Means, Principal
from porewatch.domain.people.roles import Role
from porewatch.domain.people.secrets import new_id
from porewatch.domain.tiers.caps import UserCap
from porewatch.usecases.people.identify import user_principal
from porewatch.usecases.people.manage_users import UserChange, change_user
from porewatch.usecases.people.members import GivenRoles, give_roles, remove_member
from tests.functional.test_who_asks import a_user, give


@pytest.fixture
def people(cloud: Table) -> Table:
    return Table("people")


@pytest.fixture
def accounts(people: Table) -> Accounts:
    return Accounts(people)


def as_known(accounts: Accounts, user_id: str) -> Principal:
    """Who asks, as his request found him."""
    user = accounts.user(user_id)
    assert user is not None
    return user_principal(user, Means.SESSION, accounts)


def done(work: Callable[[], object]) -> str:
    try:
        work()
    except PorewatchError as error:
        return error.code
    return "done"


def overtaken(
    monkeypatch: pytest.MonkeyPatch, first: Callable[[], object], by: Callable[[], object]
) -> list[str]:
    """`by` happens as a whole just before `first` is written. What comes of both."""
    written, said = Table.transact, []

    def late(table: Table, *args: Any, **more: Any) -> Any:
        monkeypatch.setattr(Table, "transact", written)
        said.append(done(by))
        return written(table, *args, **more)

    monkeypatch.setattr(Table, "transact", late)
    return [done(first), *said]


def test_who_is_no_admin_any_more_caps_nobody(
    people: Table, accounts: Accounts, monkeypatch: pytest.MonkeyPatch
) -> None:
    ada, ben = (a_user(accounts, name, stack_role=Role.ADMIN) for name in ("Ada", "Ben"))
    as_ada, as_ben = (as_known(accounts, one) for one in (ada, ben))
    more: dict[str, Any] = {"accounts": accounts, "sessions": Sessions(people)}
    caps = UserCaps(people)
    cap, loss = UserChange(cap=UserCap(month_runs=0)), UserChange(stack_role=None)
    said = overtaken(
        monkeypatch,
        lambda: change_user(ben, cap, as_ada, caps=caps, **more),
        lambda: change_user(ada, loss, as_ben, caps=caps, **more),
    )
    assert said == ["forbidden", "done"]
    assert caps.of(ben) == UserCap()
    change_user(ada, cap, as_ben, caps=caps, **more)
    assert caps.of(ada).month_runs == 0


@pytest.mark.parametrize("change", [UserChange(stack_role=None), UserChange(disabled=True)])
def test_two_admins_of_the_stack_take_each_others_role(
    people: Table, accounts: Accounts, monkeypatch: pytest.MonkeyPatch, change: UserChange
) -> None:
    ada, ben = (a_user(accounts, name, stack_role=Role.ADMIN) for name in ("Ada", "Ben"))
    as_ada, as_ben = (as_known(accounts, one) for one in (ada, ben))
    sessions, caps = Sessions(people), UserCaps(people)
    said = overtaken(
        monkeypatch,
        lambda: change_user(ben, change, as_ada, accounts=accounts, sessions=sessions, caps=caps),
        lambda: change_user(ada, change, as_ben, accounts=accounts, sessions=sessions, caps=caps),
    )
    assert said == ["forbidden", "done"]
    left = accounts.user(ben)
    assert left is not None
    assert (left.stack_role, left.disabled) == (Role.ADMIN, False)


@pytest.fixture
def project(accounts: Accounts) -> str:
    made = Project(project_id=new_id("p"), name="Herd", created_at=now(), created_by="u")
    accounts.add_project(made)
    return made.project_id


Take = Callable[[str, str, Principal, Accounts], object]


def removes(place: str, user_id: str, who: Principal, accounts: Accounts) -> object:
    return remove_member(place, user_id, who, accounts=accounts)


def demotes(place: str, user_id: str, who: Principal, accounts: Accounts) -> object:
    given = GivenRoles(roles=frozenset({Role.VIEWER}))
    return give_roles(place, user_id, given, who, now(), accounts=accounts)


@pytest.mark.parametrize("take", [removes, demotes])
@pytest.mark.parametrize("own", [False, True])
def test_two_admins_of_a_project_take_the_role_of_each_other_or_their_own(
    accounts: Accounts, project: str, monkeypatch: pytest.MonkeyPatch, take: Take, own: bool
) -> None:
    ada, ben = (a_user(accounts, name) for name in ("Ada", "Ben"))
    for one in (ada, ben):
        give(accounts, project, one, Role.ADMIN)
    as_ada, as_ben = (as_known(accounts, one) for one in (ada, ben))
    said = overtaken(
        monkeypatch,
        lambda: take(project, ada if own else ben, as_ada, accounts),
        lambda: take(project, ben if own else ada, as_ben, accounts),
    )
    assert said == ["last_admin" if own else "forbidden", "done"]
    admins = [m.user_id for m in accounts.members(project) if Role.ADMIN in m.roles]
    assert admins == [ada if own else ben]


def test_ten_admins_who_leave_at_once_leave_one(accounts: Accounts, project: str) -> None:
    users = [a_user(accounts, f"Admin {n}") for n in range(10)]
    for one in users:
        give(accounts, project, one, Role.ADMIN)
    principals = [as_known(accounts, one) for one in users]

    def leaves(who: Principal) -> str:
        return done(lambda: removes(project, who.user_id, who, accounts))

    with ThreadPoolExecutor(10) as pool:
        said = sorted(pool.map(leaves, principals))
    assert said == ["done"] * 9 + ["last_admin"]
    assert len(accounts.members(project)) == 1
