"""Whether the stack has received the run, or the revision, that a command waits for.

Order: `refuse_unknown` (fails at once when nothing of that name was sent), `Sent` (matches the
manifest that was sent, not an earlier revision).
"""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING

from porewatch.domain.errors import ManifestRefused, NotFound
from porewatch.domain.records.run_record import RunRecord
from porewatch.domain.runs import RUN_ID_PATTERN
from porewatch.domain.uploads.run_archives import INBOX

if TYPE_CHECKING:
    from porewatch_cli.stack import Stack

MOST_LOOKED_AT = 1000
"""Runs, and objects of the inbox, that are searched for a name."""


def refuse_unknown(run_id: str, stack: Stack) -> None:
    """Raises NotFound for a run that is neither in the ledger nor in the bucket."""
    if re.fullmatch(RUN_ID_PATTERN, run_id) and _was_sent(run_id, stack):
        return
    known = [run.run_id for run in islice(stack.runs.list(), MOST_LOOKED_AT)]
    near = difflib.get_close_matches(run_id, known, 3, 0.6)
    raise NotFound(
        f"there is no run {run_id!r}, and nothing was sent for one of that name.",
        remedy=f"did you mean {', '.join(near)}?" if near else "`porewatch list` shows all runs.",
    )


def _was_sent(run_id: str, stack: Stack) -> bool:
    raw = stack.bucket("Raw")
    if next(iter(raw.keys(f"runs/{run_id}/")), None) is not None:
        return True
    tars = (INBOX.match(head.key) for head in islice(raw.keys("inbox/"), MOST_LOOKED_AT))
    return any(tar is not None and tar[1] == run_id for tar in tars)


@dataclass(frozen=True)
class Sent:
    """A submission, identified by the digest of its manifest."""

    digest: str

    def meant(self, run: RunRecord) -> RunRecord:
        """The revision that it sealed, also when another revision replaced that one."""
        tried = run.attempt
        if tried is None or tried.manifest_digest != self.digest:
            return run
        return tried if self.digest in run.earlier_digests else run

    def is_taken_in(self, run: RunRecord) -> bool:
        """Whether it sealed (a revision of) the run. Raises ManifestRefused when it was refused and
        the run is unchanged."""
        if self.digest in (run.manifest_digest, *run.earlier_digests):
            return True
        if run.attempt is not None and run.attempt.manifest_digest == self.digest:
            raise ManifestRefused(
                f"the submission for run {run.run_id} was refused; the run is unchanged "
                f"({run.state.value}, revision {run.revision}). {run.attempt.problem}"
            )
        return False
