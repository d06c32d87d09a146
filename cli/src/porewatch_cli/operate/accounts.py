"""`porewatch people` and `porewatch projects`: accounts by AWS credentials instead of a sign-in. It
makes the first admin."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

from rich.text import Text

from porewatch.adapters.people.credentials import Sessions
from porewatch.adapters.people.entitlements import UserCaps
from porewatch.domain.base import Model, now
from porewatch.domain.errors import MessageRefused
from porewatch.domain.people.absences import absent
from porewatch.domain.people.accounts import Membership, Project, User
from porewatch.domain.people.principal import OPERATOR
from porewatch.domain.people.roles import DEFAULT_PROJECT, Role
from porewatch.domain.people.secrets import new_id
from porewatch.domain.tiers.caps import KeptCap, UserCap
from porewatch_cli.plurals import plural
from porewatch_cli.terminal import console, errors, print_json, table

if TYPE_CHECKING:
    from porewatch_cli.stack import Stack

SAID_EVERY = 500
"""Runs, between two lines of progress."""


class Adopted(Model):
    """How many runs and alerts from before projects were put into the default project's lists."""

    runs: int
    alerts: int


def show_people(stack: Stack, *, as_json: bool) -> None:
    """All users by name."""
    found = list(stack.accounts.users(page=1000))
    if as_json:
        print_json(found)
        return
    shown = table("", "user", "name", "address", "in the stack", "last sign-in (UTC)")
    for user in found:
        shown.add_row(
            user.user_id, Text(user.name), Text(user.email), _stack_role(user),
            f"{user.seen_at:%Y-%m-%d %H:%M}",
        )  # fmt: skip
    console.print(shown if found else "nobody signed in yet")


def make_admin(stack: Stack, who: str, role: Role | None, *, as_json: bool) -> None:
    """Give a user this role in the whole stack, and show him."""
    _change(stack, who, lambda u: u.model_copy(update={"stack_role": role}), as_json=as_json)


def disable(stack: Stack, who: str, disabled: bool, *, as_json: bool) -> None:
    """Let a user in no more, or again, and show him. His sessions end."""
    _change(stack, who, lambda u: u.model_copy(update={"disabled": disabled}), as_json=as_json)


def cap(stack: Stack, who: str, limits: UserCap, *, as_json: bool) -> None:
    """Let a user begin and spend so much in a month, whatever his tier allows, and show it."""
    user = _user(stack, who)
    kept = KeptCap(user_id=user.user_id, cap=limits, set_by=OPERATOR.name, at=now())
    UserCaps(stack.people).keep(kept)
    if as_json:
        print_json(kept)
        return
    runs = "no limit of runs" if limits.month_runs is None else plural(limits.month_runs, "run")
    usd = "no limit of cost" if limits.month_usd is None else f"{limits.month_usd:.2f} USD"
    line = Text("user ").append(user.user_id, style="bold").append(f" ({user.name}): ")
    console.print(line.append(f"{runs}, {usd} a month"))


def _change(stack: Stack, who: str, rule: Callable[[User], User], *, as_json: bool) -> None:
    changed = stack.accounts.change_user(_user(stack, who).user_id, rule)
    if changed.disabled:
        sessions = Sessions(stack.people)
        for session in sessions.of_user(changed.user_id):
            sessions.end(session)
    if as_json:
        print_json(changed)
        return
    line = Text("user ").append(changed.user_id, style="bold").append(f" ({changed.name}): ")
    console.print(line.append(_stack_role(changed) or "no role in the stack"))


def show_projects(stack: Stack, *, as_json: bool) -> None:
    """All projects by name, the default project first."""
    found = list(_projects(stack))
    if as_json:
        print_json(found)
        return
    shown = table("", "project", "name", "group", "state")
    for one in found:
        state = "closed" if one.closed else "open"
        shown.add_row(one.project_id, Text(one.name), one.group_id or "–", state)
    console.print(shown)


def make_project(stack: Stack, name: str, group_id: str | None, *, as_json: bool) -> None:
    """Make a project, and show its id."""
    if group_id is not None:
        stack.accounts.group(group_id)
    made = Project(
        project_id=new_id("p"),
        name=name,
        group_id=group_id,
        created_at=now(),
        created_by=OPERATOR.name,
    )
    stack.accounts.add_project(made)
    if as_json:
        print_json(made)
    else:
        line = Text("project ").append(made.project_id, style="bold")
        console.print(line.append(f": {made.name}"))


def give_roles(stack: Stack, place: str, who: str, roles: Sequence[str]) -> None:
    """Give a user these roles in a project or group, instead of those he has there."""
    if not roles or not set(roles) <= set(Role):
        known = ", ".join(Role)
        raise MessageRefused("--give needs a --role.", remedy=f"use one of {known}.")
    _refuse_absent(stack, place)
    given = Membership(
        place=place,
        user_id=_user(stack, who).user_id,
        roles=frozenset(map(Role, roles)),
        given_by=OPERATOR.name,
        at=now(),
    )
    stack.accounts.put_member(given)


def remove_member(stack: Stack, place: str, who: str) -> None:
    """He is no member of the project or group any more."""
    _refuse_absent(stack, place)
    stack.accounts.remove_member(place, _user(stack, who).user_id)


def show_members(stack: Stack, place: str, *, as_json: bool) -> None:
    """Members of the project or group itself."""
    _refuse_absent(stack, place)
    found = stack.accounts.members(place)
    if as_json:
        print_json(found)
        return
    users = stack.accounts.some_users([one.user_id for one in found])
    shown = table("", "user", "name", "address", "roles")
    for one in found:
        user = users.get(one.user_id)
        name, email = (user.name, user.email) if user else ("–", "–")
        roles = ", ".join(sorted(role.value for role in one.roles))
        shown.add_row(one.user_id, Text(name), Text(email), roles)
    console.print(shown if found else "nobody is a member of it")


def adopt(stack: Stack, *, as_json: bool) -> None:
    """Put runs and alerts from before projects into the default project's lists, with progress on
    standard error."""

    def progress(count: int) -> None:
        if count % SAID_EVERY == 0:
            errors.print(f"{count:,} runs are in the default project so far ...", highlight=False)

    adopted = Adopted(runs=stack.project_runs.adopt(progress), alerts=stack.alerts.adopt())
    if as_json:
        print_json(adopted)
    else:
        what = f"{plural(adopted.runs, 'run')} and {plural(adopted.alerts, 'alert')}"
        console.print(f"{what} put into the default project")


def _projects(stack: Stack) -> Iterator[Project]:
    yield stack.accounts.project(DEFAULT_PROJECT)
    yield from (p for p in stack.accounts.projects() if p.project_id != DEFAULT_PROJECT)


def _refuse_absent(stack: Stack, place: str) -> None:
    """NotFound unless there is such a project or group."""
    if place.startswith("g-"):
        stack.accounts.group(place)
    else:
        stack.accounts.project(place)


def _user(stack: Stack, who: str) -> User:
    """The user of an id, or of a verified address that no other user has. NotFound;
    MessageRefused, with the ids, for an address that nobody vouches for: anybody may have claimed
    it."""
    if "@" not in who:
        user = stack.accounts.user(who)
        if user is None or user.deleted:
            raise absent("user", who)
        return user
    found = [u for u in stack.accounts.users(page=1000) if u.email.casefold() == who.casefold()]
    if len(found) > 1:
        ids = ", ".join(user.user_id for user in found)
        raise MessageRefused(f"{len(found)} users have this address.", remedy=f"use an id: {ids}.")
    if not found:
        raise absent("user", who)
    if not found[0].email_verified:
        raise MessageRefused(
            "the identity provider does not vouch for this address: anybody may have claimed it.",
            remedy=f"make sure who it is, then use the id: {found[0].user_id}.",
        )
    return found[0]


def _stack_role(user: User) -> str:
    if user.disabled:
        return "disabled"
    return user.stack_role.value if user.stack_role else ""
