"""The archive in the ledger. The rules are in `domain.archive`.

ARCHIVE-OF#user   USER                     whether anything may be away; kind ARCHIVE-USERS
ARCHIVE-OF#user   AWAY#run#shelf#key       one artefact that is not hot; kind ARCHIVE-WORK by `due`
ARCHIVE-OF#user   BACK#asked#run#shelf#key one that came back in the thaw that was asked for then
RUN#run           ARCHIVE                  when the run is looked at next; kind ARCHIVE-RUNS
RUN#run           OWNED                    whose results these are; kind ENDS-OF#user

What is away of a user lies in one partition: so it is read consistently, and the last artefact that
comes back sees that it was the last. The index has what is due, and users, and nothing else.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from itertools import takewhile
from typing import NamedTuple

from porewatch.adapters.items import LAST, Item, Put, PutNew, Remove, Write, run_key
from porewatch.adapters.ledger.run_moves import ARCHIVE_RUNS, archive_write, ends_of
from porewatch.adapters.retries import PATIENT
from porewatch.adapters.table import Change, Table
from porewatch.domain.archive.artefact import Artefact, folder_of
from porewatch.domain.archive.away import Away
from porewatch.domain.archive.retrieval import Plan
from porewatch.domain.archive.user_archive import (
    UserArchive,
    all_back,
    back,
    listed,
    planned,
    saying,
    thaw_over,
    thawing,
)
from porewatch.domain.errors import AlreadyDone, Conflict, PorewatchError

USER, AWAY_PREFIX, BACK_PREFIX = "USER", "AWAY#", "BACK#"
USERS, WORK = "ARCHIVE-USERS", "ARCHIVE-WORK"
PAGE = 100
BACK_KEPT = timedelta(days=60)
"""From the beginning of a thaw: longer than one takes."""


class CameBack(NamedTuple):
    """How much came back in one thaw."""

    runs: int
    files: int


class ArchiveLedger:
    """The archive in ledger `table`."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def away(self, user_id: str, artefact: Artefact) -> tuple[Away, int] | None:
        """The artefact as it is now, and the version of its record; None: it is hot."""
        item = self._table.get(archive_key(user_id), _place(artefact))
        return (item.model(Away), item.version) if item else None

    def all_away(self, user_id: str, run_id: str | None = None) -> Iterator[Away]:
        """Everything of the user (of one of his runs) that is not hot."""
        prefix = AWAY_PREFIX if run_id is None else f"{AWAY_PREFIX}{run_id}#"
        for item in self._table.query(archive_key(user_id), prefix):
            yield item.model(Away)

    def begin(self, away: Away) -> None:
        """Something that was hot is not any more. Raises Conflict when somebody else was first.

        The user gets a new version with it, listed or not: so `all_back` of who saw nothing away
        a moment ago changes nothing.
        """
        # Versions of a record begin where no earlier record of this place can have come: so who
        # read that one changes nothing of this one.
        fresh = int(away.since.timestamp() * 1000)
        first = PutNew(_item(away, fresh), AlreadyDone)

        def step(item: Item | None) -> Change:
            after = listed(item.model(UserArchive) if item else None, away.user_id)
            return Change(_user_item(after, item.version if item else 0), first=[first])

        place = archive_key(away.user_id), USER
        self._table.change(*place, step, retries=PATIENT, lost=_unless_there)

    def move(self, after: Away, version: int) -> None:
        """From the record of this version. Raises Conflict when it is no longer that."""
        self._table.put_if(_item(after, version + 1), {"version": version})

    def hot(self, away: Away, version: int, thaw: datetime | None = None) -> None:
        """It is hot again, or gone: its record goes, and it is counted in the thaw that was asked
        for then. Raises Conflict as `move`."""
        gone = Item(archive_key(away.user_id), _place(away.artefact))
        writes: list[Write] = [Remove(gone, {"version": version})]
        if thaw is not None:
            place = _back_in(thaw) + _place(away.artefact).removeprefix(AWAY_PREFIX)
            ttl = int((thaw + BACK_KEPT).timestamp())
            writes.append(Put(Item(archive_key(away.user_id), place, ttl=ttl)))
        self._table.transact(writes)

    def came_back(self, user_id: str) -> datetime | None:
        """Something of the user is readable again. When the thaw was asked for in which it is;
        None: no thaw is under way. Idempotent."""
        place = archive_key(user_id), USER
        item = self._table.change(*place, _user_step(back), retries=PATIENT)
        return item.model(UserArchive).thaw_asked_at if item else None

    def back_in(self, user_id: str, thaw: datetime) -> CameBack:
        """How much came back in the thaw that was asked for then."""
        prefix = _back_in(thaw)
        found = self._table.query(archive_key(user_id), prefix)
        runs = [item.sk.removeprefix(prefix).partition("#")[0] for item in found]
        return CameBack(len(set(runs)), len(runs))

    def user(self, user_id: str) -> UserArchive | None:
        """What is known of him; None: nothing of his was ever archived."""
        item = self._table.get(archive_key(user_id), USER)
        return item.model(UserArchive) if item else None

    def thaw_begins(self, user_id: str, at: datetime, plan: Plan) -> bool:
        """Whether anything of the user may be away; then a thaw is under way from now on."""
        place = archive_key(user_id), USER
        item = self._table.change(*place, _user_step(lambda known: thawing(known, at, plan)))
        return item is not None and item.model(UserArchive).listed

    def plan(self, user_id: str, plan: Plan) -> None:
        """How fast something of his comes back, unless a thaw of his is under way."""
        step = _user_step(lambda known: planned(known, plan))
        self._table.change(archive_key(user_id), USER, step, retries=PATIENT)

    def plan_of(self, user_id: str) -> Plan | None:
        """How fast what comes back of his is asked for."""
        user = self.user(user_id)
        return user.plan if user else None

    def saying(self, user: UserArchive, version: int) -> int:
        """It is going to be published that all of the user is back; the record's new version.
        Raises Conflict when it is no longer that version: something may be away again."""
        self._table.put_if(_user_item(saying(user), version + 1), {"version": version})
        return version + 1

    def thaw_ends(self, user_id: str) -> tuple[UserArchive, int] | None:
        """The user's thaw, with the version of its record, if nothing of his is away any more."""
        item = self._table.get(archive_key(user_id), USER)
        if item is None or not item.model(UserArchive).listed:
            return None
        left = self._table.query(archive_key(user_id), AWAY_PREFIX, page=1)
        return None if next(left, None) else (item.model(UserArchive), item.version)

    def all_back(self, user: UserArchive, version: int) -> None:
        """He is not listed any more. If something was archived meanwhile, he is; but his thaw is
        over all the same."""
        try:
            self._table.put_if(_user_item(all_back(user), version + 1), {"version": version})
        except Conflict:
            asked_at = user.thaw_asked_at
            over = _user_step(lambda known: thaw_over(known, asked_at))
            self._table.change(archive_key(user.user_id), USER, over)

    def users(self) -> Iterator[UserArchive]:
        """Users of whom something may be away."""
        for item in self._table.query_kind(USERS, page=PAGE):
            yield item.model(UserArchive)

    def due_work(self, at: datetime) -> Iterator[Away]:
        """Artefacts that are due, the longest waiting first."""
        for item in takewhile(_until(at), self._table.query_kind(WORK, page=PAGE)):
            yield item.model(Away)

    def due_runs(self, at: datetime) -> Iterator[str]:
        """Runs that are due, the longest waiting first."""
        for item in takewhile(_until(at), self._table.query_kind(ARCHIVE_RUNS, page=PAGE)):
            yield item.pk.removeprefix(run_key(""))

    def ending_of(self, user_id: str) -> Iterator[tuple[str, datetime]]:
        """Runs of the user whose results are archived some day, with when each was completed; the
        youngest first, read only as far as you iterate."""
        for item in self._table.query_kind(ends_of(user_id), newest_first=True, page=PAGE):
            if item.kind is not None:
                completed_at = datetime.fromisoformat(item.kind[1].partition("#")[0])
                yield item.pk.removeprefix(run_key("")), completed_at

    def look_later(self, run_id: str, due: datetime | None) -> None:
        """The run is looked at then; None: never again."""
        self._table.put(archive_write(run_id, due).item)


def archive_key(user_id: str) -> str:
    """Partition of what is not hot of a user."""
    return f"ARCHIVE-OF#{user_id}"


def _place(artefact: Artefact) -> str:
    path = artefact.key.removeprefix(folder_of(artefact.run_id))
    return f"{AWAY_PREFIX}{artefact.run_id}#{artefact.shelf.value}#{path}"


def _back_in(thaw: datetime) -> str:
    return f"{BACK_PREFIX}{thaw.isoformat()}#"


def _item(away: Away, version: int) -> Item:
    place = _place(away.artefact)
    kind = (WORK, f"{_text(away.due)}#{_short(place)}") if away.due else None
    return Item.of(archive_key(away.user_id), place, away, kind=kind, version=version)


def _user_item(user: UserArchive, version: int) -> Item:
    kind = (USERS, user.user_id) if user.listed else None
    return Item.of(archive_key(user.user_id), USER, user, kind=kind, version=version)


def _user_step(
    rule: Callable[[UserArchive | None], UserArchive | None],
) -> Callable[[Item | None], Change | None]:
    def step(item: Item | None) -> Change | None:
        after = rule(item.model(UserArchive) if item else None)
        return Change(_user_item(after, item.version if item else 0)) if after else None

    return step


def _unless_there(lost: PorewatchError) -> None:
    """Another writer of the user is followed by another attempt; one of the artefact is not."""
    if isinstance(lost, AlreadyDone):
        raise lost


def _short(place: str) -> str:
    """Sort keys of the index hold 1,024 bytes, and so does the key of an object."""
    return hashlib.sha256(place.encode()).hexdigest()[:32]


def _text(at: datetime) -> str:
    return f"{at:%Y-%m-%dT%H:%M:%SZ}"


def _until(at: datetime) -> Callable[[Item], bool]:
    limit = _text(at) + LAST
    return lambda item: item.kind is not None and item.kind[1] <= limit
