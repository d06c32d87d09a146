"""Give a machine credentials for its own attempt, and for nothing else."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Protocol

from porewatch.domain import s3_keys
from porewatch.domain.errors import IdentityRefused, StaleEpoch
from porewatch.domain.machines.machine_requests import (
    Asked,
    CredentialsWanted,
    RunCredentials,
    session_tags,
)
from porewatch.domain.machines.signed_identity import SignedIdentity, bound_to
from porewatch.domain.rules import fencing
from porewatch.domain.rules.stage_lifecycle import ENDED
from porewatch.domain.stage.record import StageRecord
from porewatch.domain.stage.work_order import StoredOrder
from porewatch.usecases.instances.authenticate import authenticate

if TYPE_CHECKING:
    from porewatch.adapters.broker.sessions import WorkerSessions
    from porewatch.adapters.broker.used_identities import UsedIdentities
    from porewatch.adapters.ledger.stages import StageLedger
    from porewatch.adapters.objects import Objects
    from porewatch.usecases.instances.authenticate import Secrets


class Identify(Protocol):
    """`aws:userid` of whoever signed an identity for the request that `bound` names."""

    def __call__(self, identity: SignedIdentity, bound: str) -> str: ...


@dataclass(frozen=True)
class BrokerContext:
    """`machine_role_id`: of the role that machines are launched with; `worker_role_id`: of that
    which workers work under; `results`: the results bucket."""

    stack: str
    machine_role_id: str
    worker_role_id: str
    stages: StageLedger
    secrets: Secrets
    identify: Identify
    used: UsedIdentities
    sessions: WorkerSessions
    results: Objects
    at: datetime


def begin_session(
    wanted: CredentialsWanted, asked: Asked, context: BrokerContext
) -> RunCredentials:
    """Credentials for the attempt that the machine was launched for.

    StaleEpoch when the epoch is over or another machine's; MessageRefused without the epoch's
    proof; IdentityRefused for an identity that is old, was used, was signed for another request, or
    is of no machine of this stack; Unavailable.
    """
    authenticate(wanted, asked.text, asked.mac, stages=context.stages, secrets=context.secrets)
    record = _open(context.stages.get(wanted.key), wanted)
    session = _session(asked, context)
    fencing.refuse_user_of_another(
        record, wanted.instance_id, f"{context.worker_role_id}:{session}"
    )
    order = context.results.get_json(s3_keys.order_key(*wanted.key), StoredOrder)
    return context.sessions.begin(session, session_tags(wanted.key, wanted.epoch, order.bundle))


def _open(record: StageRecord, wanted: CredentialsWanted) -> StageRecord:
    """The record, while this machine works on the stage or may begin to."""
    record = fencing.mine(record, wanted.epoch, wanted.instance_id)
    if record.state in ENDED:
        raise StaleEpoch(f"stage {record.stage} of {record.run_id} is {record.state.value}.")
    return record


def _session(asked: Asked, context: BrokerContext) -> str:
    """The name of the session that the machine has its own credentials by. EC2 or ECS chose it."""
    identity = asked.identity
    if identity is None:
        raise IdentityRefused("the request carries no identity.")
    identity.refuse_old(context.at)
    user_id = context.identify(identity, bound_to(context.stack, asked.text))
    role_id, _, session = user_id.partition(":")
    if role_id != context.machine_role_id or not session:
        raise IdentityRefused(f"{user_id} is no machine of this stack.")
    context.used.use(identity, context.at)
    return session
