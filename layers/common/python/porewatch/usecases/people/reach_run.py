"""The one way from a principal to a run: every door that shows or changes a run comes by here."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from porewatch.domain.errors import NotFound
from porewatch.domain.people import policy
from porewatch.domain.people.principal import Principal
from porewatch.domain.people.roles import PROJECT_ID, Action, ProjectId, StackAction
from porewatch.domain.records.run_record import RunRecord
from porewatch.domain.runs import RUN_ID_PATTERN

if TYPE_CHECKING:
    from porewatch.adapters.ledger.runs import RunLedger


def reach_run(run_id: str, who: Principal, action: Action, *, runs: RunLedger) -> RunRecord:
    """The run as it is now, if `who` may do `action` to it.

    A run of a project where he has no role is answered as one that does not exist. Raises
    NotSignedIn, NotFound, Forbidden.
    """
    policy.refuse_nobody(who)
    record = runs.find(run_id) if re.fullmatch(RUN_ID_PATTERN, run_id) else None
    absent = NotFound(
        f"there is no run {run_id[:80]!r}.", remedy="the list has all runs there are."
    )
    if record is None:
        raise absent
    policy.require(who, action, record.project, absent=absent)
    return record


def visible_projects(who: Principal, wanted: str | None = None) -> Sequence[ProjectId] | None:
    """Projects whose runs a list shows; None: every run there is. `wanted`: only this project.
    NotFound for a project where he has no role."""
    policy.refuse_nobody(who)
    everything = policy.may_in_stack(who, StackAction.SEE_ALL_RUNS)
    if wanted is not None:
        absent = NotFound(f"there is no project {wanted[:80]!r}.")
        if not re.fullmatch(PROJECT_ID, wanted):
            raise absent
        policy.require(who, Action.SEE, wanted, absent=absent)
        return (wanted,)
    if everything:
        return None
    return tuple(p for p in who.projects if policy.may(who, Action.SEE, p))


def alert_scope(run: str | None, who: Principal, *, runs: RunLedger) -> Sequence[ProjectId] | None:
    """Of which projects a list of alerts is; None: of the whole stack, or of one run, which `who`
    must be allowed to see (NotFound otherwise)."""
    if run is None or not re.fullmatch(RUN_ID_PATTERN, run):
        return visible_projects(who)  # what is no run id is refused by the list
    reach_run(run, who, Action.SEE, runs=runs)
    return None
