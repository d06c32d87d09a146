"""Projects and groups: who reaches them, what is shown and changed of them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

from pydantic import Field, TypeAdapter, ValidationError

from porewatch.domain.base import Model, Moment
from porewatch.domain.labels import Label
from porewatch.domain.people import policy
from porewatch.domain.people.absences import absent
from porewatch.domain.people.accounts import Group, Project, Quota
from porewatch.domain.people.principal import Principal
from porewatch.domain.people.roles import (
    DEFAULT_PROJECT,
    Action,
    GroupId,
    ProjectId,
    Role,
    StackAction,
)
from porewatch.domain.people.secrets import new_id
from porewatch.usecases.people.repeats import Repeat, once
from porewatch.usecases.views.pages import cursor_of, limit_of, place_of
from porewatch.usecases.views.show_runs import Answer

if TYPE_CHECKING:
    from porewatch.adapters.people.accounts import Accounts

PLACE = re.compile(r".{1,400}#(default|[pg]-[a-z2-7]{16})", re.DOTALL)
T = TypeVar("T")
_PROJECT, _GROUP = TypeAdapter(ProjectId), TypeAdapter(GroupId)


class NewProject(Model):
    name: Label
    group_id: GroupId | None = None
    quota: Quota = Quota()


class ProjectChange(Model):
    """What is not sent stays; `quota` is replaced as a whole. `closed`: takes no more runs."""

    name: Label | None = None
    quota: Quota | None = None
    closed: bool | None = None


class NewGroup(Model):
    name: Label


class ProjectView(Answer):
    """A project, and what the one who asks is in it (empty: only by his role in the stack)."""

    project_id: ProjectId
    name: Label
    group_id: GroupId | None
    quota: Quota
    created_at: Moment
    closed: bool
    roles: tuple[Role, ...] = ()


class ProjectList(Answer):
    projects: tuple[ProjectView, ...]
    next: Annotated[str | None, Field(description="`cursor` of the next page; None: none")] = None


class GroupView(Answer):
    """A group, its projects, and what the one who asks is in it."""

    group_id: GroupId
    name: Label
    created_at: Moment
    projects: tuple[ProjectId, ...] = ()
    roles: tuple[Role, ...] = ()


class GroupList(Answer):
    groups: tuple[GroupView, ...]
    next: Annotated[str | None, Field(description="`cursor` of the next page; None: none")] = None


def reach_project(
    project_id: str, who: Principal, action: Action, *, accounts: Accounts
) -> Project:
    """The project, if `who` may do `action` there. One where he has no role is answered as one that
    does not exist. Raises NotSignedIn, NotFound, Forbidden."""
    policy.refuse_nobody(who)
    not_there = absent("project", project_id)
    if not _is(_PROJECT, project_id):
        raise not_there
    policy.require(who, action, project_id, absent=not_there)
    return accounts.project(project_id)


def reach_group(group_id: str, who: Principal, action: Action, *, accounts: Accounts) -> Group:
    """The same for a group."""
    policy.refuse_nobody(who)
    not_there = absent("group", group_id)
    if not _is(_GROUP, group_id):
        raise not_there
    policy.require(who, action, group_id, absent=not_there)
    return accounts.group(group_id)


def list_projects(
    who: Principal,
    *,
    accounts: Accounts,
    limit: str | None = None,
    cursor: str | None = None,
) -> ProjectList:
    """Projects where he has a role, or all for who sees all runs; by name, the default project
    first."""
    policy.refuse_nobody(who)
    most = limit_of(limit)
    past = place_of(cursor, PLACE)
    if not policy.may_in_stack(who, StackAction.SEE_ALL_RUNS):
        mine = [p for p in who.projects if policy.may(who, Action.SEE, p)]
        found: Iterable[Project] = sorted(accounts.some_projects(mine), key=_place)
        found = (p for p in found if _place(p) > past)
    else:
        found = _all_projects(accounts, past, most)
    shown, more = _page(found, most)
    return ProjectList(
        projects=tuple(_project(p, who) for p in shown),
        next=cursor_of(_place(shown[-1])) if more else None,
    )


def make_project(
    new: NewProject,
    who: Principal,
    at: datetime,
    *,
    accounts: Accounts,
    repeat: Repeat | None = None,
) -> ProjectView:
    """Needs an admin of the stack. NotFound for a group that is not there; what `repeat` raises."""
    policy.require_in_stack(who, StackAction.MANAGE_PROJECTS)
    if new.group_id is not None:
        accounts.group(new.group_id)
    made = Project(project_id=new_id("p"), created_at=at, created_by=who.user_id, **dict(new))

    def make(beside: Sequence[Any]) -> ProjectView:
        accounts.add_project(made, beside)
        return _project(made, who)

    def again(project_id: str) -> ProjectView:
        return _project(accounts.project(project_id), who)

    return once(repeat, who, new, fresh=made.project_id, make=make, again=again)


def show_project(project_id: str, who: Principal, *, accounts: Accounts) -> ProjectView:
    return _project(reach_project(project_id, who, Action.SEE, accounts=accounts), who)


def change_project(
    project_id: str, change: ProjectChange, who: Principal, *, accounts: Accounts
) -> ProjectView:
    """Needs an admin of the stack; a member gets Forbidden, anybody else NotFound."""
    if not policy.may_in_stack(who, StackAction.MANAGE_PROJECTS):
        reach_project(project_id, who, Action.SEE, accounts=accounts)
        policy.require_in_stack(who, StackAction.MANAGE_PROJECTS)
    changes = {name: value for name, value in dict(change).items() if value is not None}
    changed = accounts.change_project(project_id, lambda p: p.model_copy(update=changes))
    return _project(changed, who)


def list_groups(
    who: Principal,
    *,
    accounts: Accounts,
    limit: str | None = None,
    cursor: str | None = None,
) -> GroupList:
    """Groups where he has a role, or all for who sees all runs; by name. Their projects are shown
    for one group at a time."""
    policy.refuse_nobody(who)
    most = limit_of(limit)
    past = place_of(cursor, PLACE)
    if policy.may_in_stack(who, StackAction.SEE_ALL_RUNS):
        found: Iterable[Group] = accounts.groups(past, most + 1)
    else:
        mine = [g for g in sorted(who.groups) if policy.may(who, Action.SEE, g)]
        found = sorted(accounts.some_groups(mine), key=accounts.group_place)
        found = (g for g in found if accounts.group_place(g) > past)
    shown, more = _page(found, most)
    return GroupList(
        groups=tuple(_group(g, who) for g in shown),
        next=cursor_of(accounts.group_place(shown[-1])) if more else None,
    )


def make_group(
    new: NewGroup, who: Principal, at: datetime, *, accounts: Accounts, repeat: Repeat | None = None
) -> GroupView:
    """Needs an admin of the stack. Raises what `repeat` does."""
    policy.require_in_stack(who, StackAction.MANAGE_PROJECTS)
    made = Group(group_id=new_id("g"), name=new.name, created_at=at, created_by=who.user_id)

    def make(beside: Sequence[Any]) -> GroupView:
        accounts.add_group(made, beside)
        return _group(made, who)

    def again(group_id: str) -> GroupView:
        return _group(accounts.group(group_id), who, accounts.projects_of_group(group_id))

    return once(repeat, who, new, fresh=made.group_id, make=make, again=again)


def show_group(group_id: str, who: Principal, *, accounts: Accounts) -> GroupView:
    group = reach_group(group_id, who, Action.SEE, accounts=accounts)
    return _group(group, who, accounts.projects_of_group(group_id))


def rename_group(
    group_id: str, change: NewGroup, who: Principal, *, accounts: Accounts
) -> GroupView:
    """Needs an admin of the stack."""
    if not policy.may_in_stack(who, StackAction.MANAGE_PROJECTS):
        reach_group(group_id, who, Action.SEE, accounts=accounts)
        policy.require_in_stack(who, StackAction.MANAGE_PROJECTS)
    named = accounts.change_group(group_id, lambda g: g.model_copy(update=dict(change)))
    return _group(named, who, accounts.projects_of_group(group_id))


def _place(project: Project) -> str:
    """By name, after the default project: no name begins with a tab."""
    name = "\t" if project.project_id == DEFAULT_PROJECT else project.name.casefold()
    return f"{name}#{project.project_id}"


def _all_projects(accounts: Accounts, past: str, most: int) -> Iterator[Project]:
    if not past:
        yield accounts.project(DEFAULT_PROJECT)
    for project in accounts.projects(past, most + 1):
        if project.project_id != DEFAULT_PROJECT:
            yield project


def _page(found: Iterable[T], most: int) -> tuple[list[T], bool]:
    """At most so many, and whether there are more."""
    shown: list[T] = []
    for one in found:
        if len(shown) == most:
            return shown, True
        shown.append(one)
    return shown, False


def _is(adapter: TypeAdapter[str], text: str) -> bool:
    try:
        adapter.validate_python(text)
    except ValidationError:
        return False
    return True


def _project(project: Project, who: Principal) -> ProjectView:
    shown = project.model_dump(exclude={"created_by"})
    return ProjectView(**shown, roles=tuple(sorted(who.held(project.project_id))))


def _group(group: Group, who: Principal, projects: tuple[ProjectId, ...] = ()) -> GroupView:
    shown = group.model_dump(exclude={"created_by"})
    return GroupView(**shown, projects=projects, roles=tuple(sorted(who.held(group.group_id))))
