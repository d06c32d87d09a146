"""Answers a machine's signed identity with credentials for its run; keeps its boot log."""

from porewatch.adapters import clients
from porewatch.adapters.broker.sessions import WorkerSessions
from porewatch.adapters.broker.signed_identity import endpoint_of, user_id_of
from porewatch.adapters.broker.used_identities import UsedIdentities
from porewatch.adapters.messages.message_keys import EpochSecrets
from porewatch.domain.base import now
from porewatch.domain.machines.machine_requests import (
    Asked,
    BootLog,
    CredentialsWanted,
    RunCredentials,
)
from porewatch.domain.machines.signed_identity import SignedIdentity
from porewatch.edge import wiring
from porewatch.edge.task import on_task
from porewatch.settings import settings
from porewatch.usecases.instances.begin_session import BrokerContext, begin_session
from porewatch.usecases.instances.keep_boot_log import keep_boot_log


def identify(identity: SignedIdentity, bound: str) -> str:
    return user_id_of(identity, endpoint=endpoint_of(clients.sts()), bound=bound)


def context() -> BrokerContext:
    config = settings()
    return BrokerContext(
        stack=config.stack_name,
        machine_role_id=config.machine_role_id,
        worker_role_id=config.worker_role_id,
        stages=wiring.stages(),
        secrets=EpochSecrets(config.message_key_arn, config.stack_name),
        identify=identify,
        used=UsedIdentities(wiring.table()),
        sessions=WorkerSessions(config.worker_role_arn),
        results=wiring.results(),
        at=now(),
    )


@on_task(Asked)
def lambda_handler(asked: Asked) -> RunCredentials | None:
    with_all, request = context(), asked.request
    match request:
        case CredentialsWanted():
            return begin_session(request, asked, with_all)
        case BootLog():
            keep_boot_log(
                request,
                asked,
                stages=with_all.stages,
                secrets=with_all.secrets,
                results=with_all.results,
            )
            return None
