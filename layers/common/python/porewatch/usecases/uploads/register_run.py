"""Register a run of a project, before anything of it is there."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from porewatch.domain.base import Model
from porewatch.domain.calls.release_policy import DEFAULT, refuse_other
from porewatch.domain.choices import refuse_name
from porewatch.domain.errors import AlreadyDone, NotFound
from porewatch.domain.people import policy
from porewatch.domain.people.accounts import Project
from porewatch.domain.people.principal import Principal
from porewatch.domain.people.roles import Action, ProjectId
from porewatch.domain.people.secrets import new_run_id
from porewatch.domain.rules.run_lifecycle import Registration
from porewatch.domain.runs import RunState
from porewatch.domain.submission.run_uploads import Register, Submission

if TYPE_CHECKING:
    from porewatch.adapters.people.accounts import Accounts
    from porewatch.adapters.people.project_runs import ProjectRuns
    from porewatch.adapters.submission.request_keys import RequestKeys


class Registered(Model):
    """A run that takes uploads."""

    run_id: str
    project: ProjectId
    name: str
    state: RunState


@dataclass(frozen=True)
class Registry:
    """What registering needs. `layouts`, `policies`: names that the stack knows."""

    accounts: Accounts
    runs: ProjectRuns
    keys: RequestKeys
    layouts: Collection[str]
    policies: Collection[str]


def register_run(
    order: Register, who: Principal, key: str | None, *, registry: Registry, at: datetime
) -> Registered:
    """The run, with a new id; the same `key` (Idempotency-Key) of the same user answers the same
    run. Raises as `policy.require`; NameTaken; KeyReused; AccountRefused when the project takes no
    run now; InputRefused for unknown layouts and policies."""
    absent = NotFound(f"there is no project {order.project!r}.")
    policy.require(who, Action.SUBMIT, order.project, absent=absent)
    run_id = new_run_id()
    if key is not None:
        run_id = registry.keys.answer_of((_user(who), "POST /runs", key), order, run_id, at=at)
    project = _checked(order, registry)
    submission = Submission(asked=order, run_gigabytes=project.quota.run_gigabytes)
    owner = Registration(order.project, order.name, _user(who))
    try:
        record = registry.runs.register(run_id, owner, at, submission)
    except AlreadyDone:  # the same request once more
        return Registered(
            run_id=run_id, project=order.project, name=order.name, state=RunState.RECEIVING
        )
    return Registered(
        run_id=run_id, project=record.project, name=record.name or run_id, state=record.state
    )


def _user(who: Principal) -> str:
    return who.user_id or who.name


def _checked(order: Register, registry: Registry) -> Project:
    """The project, for a run whose options the stack knows."""
    if order.profile is not None:
        refuse_name("layout", "profile", order.profile, registry.layouts)
    refuse_other(order.release_policy or DEFAULT, tuple(registry.policies))
    return registry.accounts.project(order.project)
