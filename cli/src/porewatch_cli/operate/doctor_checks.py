"""The checks of `porewatch doctor`: each turns an AWS response into a verdict and a remedy."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Sequence
from enum import StrEnum
from typing import Any, NamedTuple

from botocore.exceptions import BotoCoreError, ClientError

from porewatch.adapters.faults import code_of
from porewatch.domain.base import Model
from porewatch.domain.stage.spec import StageSpec
from porewatch_cli.plurals import plural

FEWEST_TYPES = 10
FEWEST_CALLS = 50
CALLS_OF_A_NEW_ACCOUNT = 10
"""Concurrent executions of a new account; the stack's defaults fit into that."""
SEVERAL = 4
"""Instances that must fit into a quota at once, else the check warns."""
ARCHITECTURE = "x86_64"
IMAGE = "instance image"

DENIED = frozenset(
    {
        "AccessDenied",
        "AccessDeniedException",
        "AuthFailure",
        "AuthorizationError",
        "ExpiredToken",
        "ExpiredTokenException",
        "InvalidClientTokenId",
        "OptInRequired",
        "RequestExpired",
        "SignatureDoesNotMatch",
        "UnauthorizedOperation",
        "UnrecognizedClientException",
    }
)
"""Error codes that refuse the credentials, for any call."""
NOT_OFFERED = frozenset({"InvalidAction", "UnknownOperationException"})
"""Error codes of a call that the service does not have; a missing service gives a bare HTTP
status."""


class CheckVerdict(StrEnum):
    OK = "OK"
    WARN = "WARN"
    FAIL = "FAIL"
    UNANSWERED = "not answered"


class Check(Model):
    """One check; `told`: what was seen. `remedy` is empty when there is nothing to do."""

    what: str
    verdict: CheckVerdict
    told: str
    remedy: str = ""


class Quota(NamedTuple):
    """An EC2 quota by its code in Service Quotas; source: its console, general knowledge."""

    code: str
    name: str
    gpu: bool


QUOTAS = (
    Quota("L-34B43A08", "spot vCPUs, standard types", gpu=False),
    Quota("L-1216C47A", "on-demand vCPUs, standard types", gpu=False),
    Quota("L-3819A6DF", "spot vCPUs, G and VT types", gpu=True),
    Quota("L-DB2E81BA", "on-demand vCPUs, G and VT types", gpu=True),
)


def answered(what: str, look: Callable[[], Iterable[Check]], *, local: bool = False) -> list[Check]:
    """The checks of `look`; a call that fails ends them with one check that is not answered.
    `local`: the embedded AWS, which has fewer calls than AWS."""
    found: list[Check] = []
    try:
        for check in look():
            found.append(check)  # one by one, to keep the checks before a fault
    except (ClientError, BotoCoreError) as error:
        found.append(unanswered(what, error, local=local))
    return found


def unanswered(what: str, error: ClientError | BotoCoreError, *, local: bool = False) -> Check:
    """The check for a call that AWS did not answer, with the reason."""
    reason, remedy = _why_not(error, local)
    return Check(what=what, verdict=CheckVerdict.UNANSWERED, told=reason[:200], remedy=remedy)


def _why_not(error: ClientError | BotoCoreError, local: bool) -> tuple[str, str]:
    """The reason, and the remedy."""
    if not isinstance(error, ClientError):
        return str(error), "AWS was not reached: check the network, --region and your login."
    call, code = error.operation_name, code_of(error)
    if code in DENIED:
        return (
            f"{call}: {code}",
            "your credentials may lack this permission: see docs/policies/operator.json",
        )
    if code in NOT_OFFERED or code.isdigit():
        if local:
            return f"the embedded AWS does not have {call}; AWS does", ""
        return f"{call} is not offered here", "check --region."
    return str(error), "retry later; if the error persists, it is a defect of this command."


BAKED, ASKS = "porewatch-image", "porewatch-credentials"
"""Tags of machine images: what images/image-builder.yaml bakes, and what asks the broker."""


def image_check(image: str, shown: list[dict[str, Any]]) -> Check:
    """Check the response of DescribeImages for the launch template's image."""
    missing: dict[str, Any] = {"Architecture": "not found", "State": "missing"}
    found = shown[0] if shown else missing
    kind, state = found.get("Architecture", "unknown"), found.get("State", "unknown")
    fits = kind == ARCHITECTURE and state == "available"
    tags = {tag["Key"] for tag in found.get("Tags", [])}
    if fits and BAKED in tags and ASKS not in tags:
        return Check(
            what=IMAGE,
            verdict=CheckVerdict.FAIL,
            told=f"{image}: its worker is older than the stack, and asks for no credentials",
            remedy="bake an image of this version (images/), and deploy with AmiId=ami-...",
        )
    return Check(
        what=IMAGE,
        verdict=CheckVerdict.OK if fits else CheckVerdict.FAIL,
        told=f"{image}: {kind}, {state}",
        remedy=""
        if fits
        else f"build an {ARCHITECTURE} image (images/), and deploy with AmiId=ami-...",
    )


def types_check(
    stage: StageSpec, zones: Sequence[str], offered: Container[tuple[str, str]]
) -> Check:
    """`offered`: (zone, type) of the region. Only the zones of the stack count."""
    wanted = stage.instance_types
    pools = [(zone, name) for zone in zones for name in wanted if (zone, name) in offered]
    kinds = {name for _, name in pools}
    poor = [zone for zone in zones if sum(z == zone for z, _ in pools) * 2 < len(wanted)]
    enough = len(kinds) >= FEWEST_TYPES and not poor
    remedy = "add types that this region offers to the layout."
    if poor:
        remedy = (
            f"{', '.join(poor)} has few of them: deploy with other zones (ZoneA, ZoneB, ZoneC)."
        )
    return Check(
        what=f"types for {stage.name}",
        verdict=CheckVerdict.OK if enough else CheckVerdict.WARN if kinds else CheckVerdict.FAIL,
        told=f"{len(kinds)} of {len(wanted)} types, {len(pools)} pools in {len(zones)} zones",
        remedy="" if enough else remedy,
    )


def calls_check(left: int) -> Check:
    """`left`: unreserved concurrent executions of the account."""
    verdict = CheckVerdict.OK
    if left < FEWEST_CALLS:
        verdict = CheckVerdict.FAIL if left < CALLS_OF_A_NEW_ACCOUNT else CheckVerdict.WARN
    return Check(
        what="concurrent executions",
        verdict=verdict,
        told=plural(left, "execution"),
        remedy=""
        if verdict is CheckVerdict.OK
        else "request an increase (Service Quotas, Lambda, L-B99A9384); until then leave "
        "CheckConcurrency at 5 and HeartbeatConcurrency at 0, and submit small runs.",
    )


def quota_value(client: Any, service: str, code: str) -> float:
    """The quota of the account, or the AWS default if it was never changed."""
    quota = {"ServiceCode": service, "QuotaCode": code}
    try:
        response = client.get_service_quota(**quota)
    except client.exceptions.NoSuchResourceException:
        response = client.get_aws_default_service_quota(**quota)
    return float(response["Quota"]["Value"])


def quota_check(quota: Quota, value: float, needed: int) -> Check:
    narrow = f"request an increase (Service Quotas, EC2, {quota.code})."
    verdict = CheckVerdict.OK
    if value < SEVERAL * needed:
        verdict = CheckVerdict.FAIL if value < needed else CheckVerdict.WARN
    return Check(
        what=quota.name,
        verdict=verdict,
        told=f"{value:.0f} vCPUs; one instance needs {needed}",
        remedy="" if verdict is CheckVerdict.OK else narrow,
    )


def adoption_check(outside: str | None) -> Check:
    """`outside`: a run from before there were projects, which is in no project's list."""
    return Check(
        what="runs in projects",
        verdict=CheckVerdict.OK if outside is None else CheckVerdict.WARN,
        told="every run is in its project's list"
        if outside is None
        else f"run {outside} is from before projects: their members do not see such runs in lists",
        remedy=""
        if outside is None
        else "put them into the default project: porewatch projects adopt-runs.",
    )
