"""Users, groups, projects and memberships in the people table.

A membership is two items, written in one transaction: below its user (what may he do?) and below
its place (who is there?).
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime

from porewatch.adapters.batch_reads import get_many
from porewatch.adapters.items import Item, Put, PutIf, PutNew, Remove, Unchanged, Write
from porewatch.adapters.people.changes import Stored, changed
from porewatch.adapters.people.keys import (
    GROUPS,
    PROJECTS,
    USERS,
    identity_key,
    place_key,
    user_key,
)
from porewatch.adapters.retries import PATIENT
from porewatch.adapters.table import Table
from porewatch.domain.errors import Conflict, Throttled
from porewatch.domain.people.absences import absent
from porewatch.domain.people.accounts import AskedBy, Group, Membership, Project, User
from porewatch.domain.people.roles import DEFAULT_PROJECT, USER_ID, ProjectId

LONGEST_SORTED = 120
"""Characters of a name by which lists are sorted: a key of the index has at most 1,024 bytes."""
Witnesses = Callable[[], Sequence[Membership]]
MEMBER, PROJECT_IN_GROUP = "MEMBER#", "PROJECT#"


class Accounts:
    """Users, groups and projects in table `table`."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def user(self, user_id: str) -> User | None:
        if not re.fullmatch(USER_ID, user_id):
            return None  # what somebody wrote into an address: no key of ours
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

    def change_user(
        self, user_id: str, rule: Callable[[User], User], by: AskedBy | None = None
    ) -> User:
        """Apply a pure rule to a user, if whoever asks still may when it is written. NotFound, also
        for one whose data were deleted; what `by` raises."""
        not_there = absent("user", user_id)

        def of_somebody(user: User) -> User:
            if user.deleted:
                raise not_there
            return rule(user)

        stored = Stored(user_key(user_id), "USER", User, _user_item, not_there.problem)
        return changed(self._table, stored, of_somebody, lambda *_: self.still(by, user_id))

    def still(self, by: AskedBy | None, user_id: str) -> list[Write]:
        """What makes a change of this user depend on that who asks for it still may. What `by`
        raises."""
        if by is None or by.user_id in ("", user_id):
            return []
        item = self._table.get(user_key(by.user_id), "USER")
        by.refuse(item.model(User) if item else None)
        return [Unchanged(item, self._table.name)] if item else []

    def forget_user(self, user_id: str, rule: Callable[[User], User]) -> User:
        """Apply `rule`, and remove the identity by which he signed in, in one write. NotFound."""
        stored = Stored(
            user_key(user_id), "USER", User, _user_item, absent("user", user_id).problem
        )
        return changed(self._table, stored, rule, lambda before, _: [_forgotten(before)])

    def some_users(self, user_ids: Sequence[str]) -> dict[str, User]:
        """Those of the users that there are, by id."""
        found = get_many(self._table, [(user_key(one), "USER") for one in user_ids])
        users = (item.model(User) for item in found.values())
        return {user.user_id: user for user in users}

    def users(self, past: str = "", page: int = 50) -> Iterator[User]:
        """All users by name; `past`: only those after this place (`user_place`)."""
        for item in self._table.query_kind(USERS, past=past, page=page):
            yield item.model(User)

    @staticmethod
    def user_place(user: User) -> str:
        return f"{user.name.casefold()[:LONGEST_SORTED]}#{user.user_id}"

    def add_group(self, group: Group, beside: Sequence[Write] = ()) -> None:
        """A group, and other writes. AlreadyDone when there is one of its id."""
        self._table.transact([PutNew(_group_item(group)), *beside])

    def group(self, group_id: str) -> Group:
        """NotFound."""
        item = self._table.get(place_key(group_id), "GROUP")
        if item is None:
            raise absent("group", group_id)
        return item.model(Group)

    def change_group(self, group_id: str, rule: Callable[[Group], Group]) -> Group:
        """Apply a pure rule to a group. NotFound."""
        problem = absent("group", group_id).problem
        stored = Stored(place_key(group_id), "GROUP", Group, _group_item, problem)
        return changed(self._table, stored, rule)

    def some_groups(self, group_ids: Sequence[str]) -> tuple[Group, ...]:
        """Those of the groups that there are."""
        found = get_many(self._table, [(place_key(one), "GROUP") for one in group_ids])
        return tuple(item.model(Group) for item in found.values())

    def groups(self, past: str = "", page: int | None = None) -> Iterator[Group]:
        """All groups by name; `past`: only those after this place (`group_place`)."""
        for item in self._table.query_kind(GROUPS, past=past, page=page):
            yield item.model(Group)

    @staticmethod
    def group_place(group: Group) -> str:
        return f"{group.name.casefold()}#{group.group_id}"

    def add_project(self, project: Project, beside: Sequence[Write] = ()) -> None:
        """A project, below its group if it has one, and other writes. AlreadyDone when there is one
        of its id."""
        writes: list[Write] = [PutNew(_project_item(project)), *beside]
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
        raise absent("project", project_id)

    def project_unchanged(self, project_id: str) -> tuple[Project, Unchanged]:
        """The project, and the condition that nobody has changed it. NotFound."""
        item = self._table.get(place_key(project_id), "PROJECT")
        if item is None and project_id != DEFAULT_PROJECT:
            raise absent("project", project_id)
        place = item or Item(place_key(project_id), "PROJECT")
        as_read = Unchanged(place, self._table.name, there=item is not None)
        return item.model(Project) if item else default_project(), as_read

    def change_project(self, project_id: str, rule: Callable[[Project], Project]) -> Project:
        """Apply a pure rule to a project. NotFound."""
        if project_id == DEFAULT_PROJECT and self._table.get("PROJECT#default", "PROJECT") is None:
            self.add_project(default_project())
        problem = absent("project", project_id).problem
        stored = Stored(place_key(project_id), "PROJECT", Project, _project_item, problem)
        return changed(self._table, stored, rule)

    def projects(self, past: str = "", page: int | None = None) -> Iterator[Project]:
        """All projects by name, the default project among them once it was changed; `past`: only
        those after this place (`project_place`)."""
        for item in self._table.query_kind(PROJECTS, past=past, page=page):
            yield item.model(Project)

    @staticmethod
    def project_place(project: Project) -> str:
        return f"{project.name.casefold()}#{project.project_id}"

    def some_projects(self, project_ids: Sequence[ProjectId]) -> tuple[Project, ...]:
        """Those of the projects that there are."""
        found = get_many(self._table, [(place_key(one), "PROJECT") for one in project_ids])
        projects = {p.project_id: p for p in (i.model(Project) for i in found.values())}
        if DEFAULT_PROJECT in project_ids:
            projects.setdefault(DEFAULT_PROJECT, default_project())
        return tuple(projects.values())

    def projects_of_group(self, group_id: str) -> tuple[ProjectId, ...]:
        items = self._table.query(place_key(group_id), PROJECT_IN_GROUP)
        return tuple(item.sk.removeprefix(PROJECT_IN_GROUP) for item in items)

    def put_member(self, membership: Membership, while_: Witnesses = lambda: ()) -> None:
        """Somebody's roles in a place, instead of those he had there; on condition that the
        memberships of `while_` (asked before each attempt) are as they are."""
        self._with_witnesses(member_writes(membership), while_)

    def membership(self, place: str, user_id: str) -> Membership | None:
        """What a user himself is in a group or project."""
        item = self._table.get(user_key(user_id), MEMBER + place)
        return item.model(Membership) if item else None

    def remove_member(self, place: str, user_id: str, while_: Witnesses = lambda: ()) -> None:
        """He has no role there any more: both items in one write. Idempotent. `while_` as in
        `put_member`."""
        mine = Item(user_key(user_id), MEMBER + place)
        there = Item(place_key(place), MEMBER + user_id)
        self._with_witnesses([Remove(mine), Remove(there)], while_)

    def _with_witnesses(self, writes: Sequence[Write], witnesses: Witnesses) -> None:
        for attempt in range(PATIENT.attempts):
            time.sleep(PATIENT.pause(attempt))
            seen = [Unchanged(member_writes(one)[0].item, self._table.name) for one in witnesses()]
            try:
                return self._table.transact([*writes, *seen])
            except (Conflict, Throttled):
                continue
        raise Throttled("the members are being changed by too many at once.")

    def memberships(self, user_id: str) -> tuple[Membership, ...]:
        """Where a user is a member (groups and projects), as it is now."""
        return self._members(user_key(user_id))

    def members(self, place: str) -> tuple[Membership, ...]:
        """Who is a member of a group or project."""
        return self._members(place_key(place))

    def _members(self, pk: str) -> tuple[Membership, ...]:
        return tuple(item.model(Membership) for item in self._table.query(pk, MEMBER))


def member_writes(membership: Membership) -> tuple[Put, Put]:
    """Both items of a membership."""
    mine = Item.of(user_key(membership.user_id), MEMBER + membership.place, membership)
    there = Item.of(place_key(membership.place), MEMBER + membership.user_id, membership)
    return Put(mine), Put(there)


def joining_writes(before: Membership | None, after: Membership) -> tuple[Write, Write]:
    """Both items of a membership, if its user is still what he was `before`."""
    mine, there = (write.item for write in member_writes(after))
    if before is None:
        return PutNew(mine, Conflict), Put(there)
    return PutIf(mine, {"body": before.canonical_json()}), Put(there)


def default_project() -> Project:
    """As it is before anybody changed it."""
    began = datetime.fromisoformat("2026-11-30T00:00:00+00:00")
    return Project(
        project_id=DEFAULT_PROJECT, name="Default project", created_at=began, created_by=""
    )


def _user_item(user: User) -> Item:
    kind = None if user.deleted else (USERS, Accounts.user_place(user))
    return Item.of(user_key(user.user_id), "USER", user, kind=kind)


def _forgotten(user: User) -> Remove:
    return Remove(Item(identity_key(user.issuer, user.subject), "IDENTITY"))


def _group_item(group: Group) -> Item:
    kind = (GROUPS, Accounts.group_place(group))
    return Item.of(place_key(group.group_id), "GROUP", group, kind=kind)


def _project_item(project: Project) -> Item:
    kind = (PROJECTS, Accounts.project_place(project))
    return Item.of(place_key(project.project_id), "PROJECT", project, kind=kind)
