"""Users, groups, projects and memberships in the people table.

A membership is two items, written in one transaction: below its user (what may he do?) and below
its place (who is there?).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime

from porewatch.adapters.items import Item, Put, PutNew
from porewatch.adapters.people.changes import Stored, changed
from porewatch.adapters.people.keys import (
    GROUPS,
    PROJECTS,
    USERS,
    identity_key,
    place_key,
    user_key,
)
from porewatch.adapters.table import Table
from porewatch.domain.errors import NotFound
from porewatch.domain.people.accounts import Group, Membership, Project, User
from porewatch.domain.people.roles import DEFAULT_PROJECT, ProjectId

MEMBER, PROJECT_IN_GROUP = "MEMBER#", "PROJECT#"


class Accounts:
    """Users, groups and projects in table `table`."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def user(self, user_id: str) -> User | None:
        item = self._table.get(user_key(user_id), "USER")
        return item.model(User) if item else None

    def user_of(self, issuer: str, subject: str) -> User | None:
        """The user who signed in with this identity before."""
        item = self._table.get(identity_key(issuer, subject), "IDENTITY")
        return self.user(str(item.attributes["user_id"])) if item else None

    def add_user(self, user: User) -> None:
        """A user and his identity. AlreadyDone when somebody has this identity."""
        known = Item(
            identity_key(user.issuer, user.subject),
            "IDENTITY",
            attributes={"user_id": user.user_id},
        )
        self._table.transact([PutNew(known), PutNew(_user_item(user))])

    def change_user(self, user_id: str, rule: Callable[[User], User]) -> User:
        """Apply a pure rule to a user. NotFound."""
        absent = f"there is no user {user_id!r}."
        stored = Stored(user_key(user_id), "USER", User, _user_item, absent)
        return changed(self._table, stored, rule)

    def users(self, past: str = "", page: int = 50) -> Iterator[User]:
        """All users by name; `past`: only those after this place (`user_place`)."""
        for item in self._table.query_kind(USERS, past=past, page=page):
            yield item.model(User)

    @staticmethod
    def user_place(user: User) -> str:
        return f"{user.name.casefold()}#{user.user_id}"

    def add_group(self, group: Group) -> None:
        self._table.put_new(_group_item(group))

    def group(self, group_id: str) -> Group:
        """NotFound."""
        item = self._table.get(place_key(group_id), "GROUP")
        if item is None:
            raise NotFound(f"there is no group {group_id!r}.")
        return item.model(Group)

    def groups(self) -> Iterator[Group]:
        """All groups by name."""
        return (item.model(Group) for item in self._table.query_kind(GROUPS))

    def add_project(self, project: Project) -> None:
        """A project, below its group if it has one. AlreadyDone when there is one of its id."""
        writes = [PutNew(_project_item(project))]
        if project.group_id:
            below = Item(place_key(project.group_id), PROJECT_IN_GROUP + project.project_id)
            writes.append(PutNew(below))
        self._table.transact(writes)

    def project(self, project_id: str) -> Project:
        """NotFound. The default project is always there."""
        item = self._table.get(place_key(project_id), "PROJECT")
        if item is not None:
            return item.model(Project)
        if project_id == DEFAULT_PROJECT:
            return default_project()
        raise absent_project(project_id)

    def change_project(self, project_id: str, rule: Callable[[Project], Project]) -> Project:
        """Apply a pure rule to a project. NotFound."""
        if project_id == DEFAULT_PROJECT and self._table.get("PROJECT#default", "PROJECT") is None:
            self.add_project(default_project())
        absent = absent_project(project_id).problem
        stored = Stored(place_key(project_id), "PROJECT", Project, _project_item, absent)
        return changed(self._table, stored, rule)

    def projects(self) -> Iterator[Project]:
        """All projects by name, the default project among them once it was changed."""
        return (item.model(Project) for item in self._table.query_kind(PROJECTS))

    def projects_of_group(self, group_id: str) -> tuple[ProjectId, ...]:
        items = self._table.query(place_key(group_id), PROJECT_IN_GROUP)
        return tuple(item.sk.removeprefix(PROJECT_IN_GROUP) for item in items)

    def put_member(self, membership: Membership) -> None:
        """Somebody's roles in a place, instead of those he had there."""
        mine = Item.of(user_key(membership.user_id), MEMBER + membership.place, membership)
        there = Item.of(place_key(membership.place), MEMBER + membership.user_id, membership)
        self._table.transact([Put(mine), Put(there)])

    def remove_member(self, place: str, user_id: str) -> None:
        """He has no role there any more: his own item first, by which he is judged. Idempotent."""
        self._table.delete(user_key(user_id), MEMBER + place)
        self._table.delete(place_key(place), MEMBER + user_id)

    def memberships(self, user_id: str) -> tuple[Membership, ...]:
        """Where a user is a member (groups and projects), as it is now."""
        return self._members(user_key(user_id))

    def members(self, place: str) -> tuple[Membership, ...]:
        """Who is a member of a group or project."""
        return self._members(place_key(place))

    def _members(self, pk: str) -> tuple[Membership, ...]:
        return tuple(item.model(Membership) for item in self._table.query(pk, MEMBER))


def absent_project(project_id: str) -> NotFound:
    """The answer about a project that is not there, or not for the one who asks."""
    return NotFound(f"there is no project {project_id!r}.")


def default_project() -> Project:
    """As it is before anybody changed it."""
    began = datetime.fromisoformat("2026-11-30T00:00:00+00:00")
    return Project(
        project_id=DEFAULT_PROJECT, name="Default project", created_at=began, created_by=""
    )


def _user_item(user: User) -> Item:
    kind = (USERS, Accounts.user_place(user))
    return Item.of(user_key(user.user_id), "USER", user, kind=kind)


def _group_item(group: Group) -> Item:
    kind = (GROUPS, f"{group.name.casefold()}#{group.group_id}")
    return Item.of(place_key(group.group_id), "GROUP", group, kind=kind)


def _project_item(project: Project) -> Item:
    kind = (PROJECTS, f"{project.name.casefold()}#{project.project_id}")
    return Item.of(place_key(project.project_id), "PROJECT", project, kind=kind)
