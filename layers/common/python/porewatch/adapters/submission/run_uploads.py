"""Uploads of registered runs in the ledger: in the partition of their run, so they go with it.

SUBMISSION       options and sums; every change of an upload that changes them goes through it
UPLOAD#id        one file
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass

from porewatch.adapters.batch_reads import get_many
from porewatch.adapters.batches import batches
from porewatch.adapters.items import Item, PutIf, PutNew, Write, run_key
from porewatch.adapters.retries import PATIENT
from porewatch.adapters.table import Change, Table
from porewatch.domain.errors import Conflict, NotFound
from porewatch.domain.submission.run_uploads import Submission, Upload, counted

SUBMISSION, UPLOAD = "SUBMISSION", "UPLOAD#"
AT_ONCE = 50
"""Uploads in one transaction, which takes 100 writes."""

Rule = Callable[[Upload | None], Upload | None]
"""From an upload as it is (None: there is none) to what it becomes; None: it stays."""


class RunUploads:
    """The uploads in ledger `table`."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def submission(self, run_id: str) -> Submission:
        """NotFound for a run that was not registered."""
        item = self._table.get(run_key(run_id), SUBMISSION)
        if item is None:
            raise _unregistered(run_id)
        return item.model(Submission)

    def asked_bundle(self, run_id: str) -> str | None:
        """The bundle that the run was registered with; None for one that names none, or that came
        by the bucket."""
        item = self._table.get(run_key(run_id), SUBMISSION)
        return item.model(Submission).asked.bundle if item else None

    def is_registered(self, run_id: str) -> bool:
        """Whether it takes uploads: not a run that came by the bucket."""
        return self._table.get(run_key(run_id), SUBMISSION) is not None

    def all(self, run_id: str) -> Iterator[Upload]:
        """Every upload of the run, in order of its id."""
        return (item.model(Upload) for item in self._table.query(run_key(run_id), UPLOAD))

    def past(self, run_id: str, upload_id: str, page: int) -> Iterator[Upload]:
        """Those after `upload_id` (empty: all), in order; read `page` at a time, and only as far as
        you iterate."""
        after = UPLOAD + upload_id if upload_id else ""
        items = self._table.query(run_key(run_id), UPLOAD, past=after, page=page)
        return (item.model(Upload) for item in items)

    def find(self, run_id: str, upload_id: str) -> Upload:
        """NotFound."""
        item = self._table.get(run_key(run_id), UPLOAD + upload_id)
        if item is None:
            raise absent_upload(upload_id)
        return item.model(Upload)

    def note_sheet(self, run_id: str) -> None:
        """From now on the sheet that is put goes before a file of its name. NotFound for a run that
        was not registered."""

        def step(stored: Item | None) -> Change | None:
            if stored is None:
                raise _unregistered(run_id)
            before = stored.model(Submission)
            after = before.model_copy(update={"sheet_kept": True})
            return None if after == before else Change(Item.of(stored.pk, stored.sk, after))

        self._table.change(run_key(run_id), SUBMISSION, step, retries=PATIENT)

    def change(
        self,
        run_id: str,
        rules: dict[str, Rule],
        check: Callable[[Submission], None] = lambda submission: None,
    ) -> dict[str, tuple[Upload | None, Upload]]:
        """Apply a pure rule to each upload, by id, and count them: 50 in one write. `check` refuses
        the sums as they would be. Says what each was and is now. NotFound for a run that was not
        registered."""
        done: dict[str, tuple[Upload | None, Upload]] = {}
        for some in batches(list(rules), AT_ONCE):
            done |= self._change_some(
                run_id, {upload_id: rules[upload_id] for upload_id in some}, check
            )
        return done

    def _change_some(
        self, run_id: str, rules: dict[str, Rule], check: Callable[[Submission], None]
    ) -> dict[str, tuple[Upload | None, Upload]]:
        """Where the sums stay as they are, as when a file is complete, only the uploads are
        written: side by side, uploads of a run do not get into each other's way."""
        pk = run_key(run_id)
        planned = self._planned(run_id, rules, self._table.get(pk, SUBMISSION))
        if planned.same_sums:
            with suppress(Conflict):  # another one changed one of them: all of it once more
                self._table.transact(planned.writes)
                return planned.done

        def step(stored: Item | None) -> Change | None:
            nonlocal planned
            planned = self._planned(run_id, rules, stored)
            if not planned.writes:
                return None
            if planned.after.grows_from(planned.before):
                check(planned.after)
            return Change(Item.of(pk, SUBMISSION, planned.after), beside=planned.writes)

        self._table.change(pk, SUBMISSION, step, retries=PATIENT)
        return planned.done

    def _planned(self, run_id: str, rules: dict[str, Rule], stored: Item | None) -> _Planned:
        if stored is None:
            raise _unregistered(run_id)
        planned = _Planned(stored.model(Submission), stored.model(Submission), [], {})
        pk = run_key(run_id)
        items = get_many(self._table, [(pk, UPLOAD + upload_id) for upload_id in rules])
        for upload_id, rule in rules.items():
            item = items.get((pk, UPLOAD + upload_id))
            was = item.model(Upload) if item else None
            now = rule(was)
            if now is not None and now != was:
                planned.after = counted(planned.after, was, now)
                planned.writes.append(_write(item, now))
            if (after := now or was) is not None:
                planned.done[upload_id] = (was, after)
        return planned


@dataclass
class _Planned:
    """What becomes of some uploads: the sums before and after, what is written, what each was and
    is."""

    before: Submission
    after: Submission
    writes: list[Write]
    done: dict[str, tuple[Upload | None, Upload]]

    @property
    def same_sums(self) -> bool:
        return self.before == self.after


def absent_upload(upload_id: str) -> NotFound:
    return NotFound(
        f"the run has no upload {upload_id[:80]!r}.", remedy="its list has all there are."
    )


def _unregistered(run_id: str) -> NotFound:
    return NotFound(
        f"run {run_id!r} takes no uploads: it was not registered.", remedy="register a run."
    )


def _write(before: Item | None, upload: Upload) -> PutNew | PutIf:
    version = before.version + 1 if before else 0
    item = Item.of(run_key(upload.run_id), UPLOAD + upload.upload_id, upload, version=version)
    return PutIf(item, {"version": before.version}, Conflict) if before else PutNew(item, Conflict)
