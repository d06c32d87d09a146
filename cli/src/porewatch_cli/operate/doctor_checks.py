"""What `porewatch doctor` makes of an answer of AWS: one check each, with verdict and remedy."""

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
"""So many functions may run at once there; the defaults of the stack are made for that."""
SEVERAL = 4
"""Machines that should fit into a quota at once before it is called narrow."""
ARCHITECTURE = "x86_64"
IMAGE = "image of the machines"


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
"""Codes by which AWS refuses credentials, whatever was asked."""
NOT_OFFERED = frozenset({"InvalidAction", "UnknownOperationException"})
"""Codes of a call that the service does not have; a bare HTTP status comes from no such service."""


class CheckVerdict(StrEnum):
    OK = "OK"
    WARN = "WARN"
    FAIL = "FAIL"
    UNANSWERED = "not answered"


class Check(Model):
    """One thing that was looked at. `remedy` is empty when nothing is to be done."""

    what: str
    verdict: CheckVerdict
    told: str
    remedy: str = ""


class Quota(NamedTuple):
    """A quota of EC2 by its code in Service Quotas; source: its console, general knowledge."""

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
    """What `look` finds until a call is not answered, and then one check that says so and is no OK.
    `local`: the embedded AWS is asked, which knows fewer calls than AWS."""
    found: list[Check] = []
    try:
        for check in look():
            found.append(check)  # one by one: what was found before a fault stays
    except (ClientError, BotoCoreError) as error:
        found.append(unanswered(what, error, local=local))
    return found


def unanswered(what: str, error: ClientError | BotoCoreError, *, local: bool = False) -> Check:
    """The check that says why AWS did not answer."""
    told, remedy = _why_not(error, local)
    return Check(what=what, verdict=CheckVerdict.UNANSWERED, told=told[:200], remedy=remedy)


def _why_not(error: ClientError | BotoCoreError, local: bool) -> tuple[str, str]:
    """What is said of it, and the remedy."""
    if not isinstance(error, ClientError):
        return str(error), "AWS was not reached: look at the network, --region and your login."
    call, code = error.operation_name, code_of(error)
    if code in DENIED:
        return (
            f"{call}: {code}",
            "your credentials may not ask this: see docs/policies/operator.json",
        )
    if code in NOT_OFFERED or code.isdigit():
        if local:
            return f"the embedded AWS does not know {call}; AWS answers it", ""
        return f"{call} is not offered here", "is the region right?"
    return str(error), "ask again later; if it stays, it is a fault of this command."


def image_check(image: str, shown: list[dict[str, Any]]) -> Check:
    """What DescribeImages shows of the launch template's image."""
    found = shown[0] if shown else {"Architecture": "there is none", "State": "missing"}
    kind, state = found.get("Architecture", "unknown"), found.get("State", "unknown")
    fits = kind == ARCHITECTURE and state == "available"
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
    """`offered`: (zone, type) of the region. What counts is what the stack's own zones have."""
    wanted = stage.instance_types
    pools = [(zone, name) for zone in zones for name in wanted if (zone, name) in offered]
    kinds = {name for _, name in pools}
    poor = [zone for zone in zones if sum(z == zone for z, _ in pools) * 2 < len(wanted)]
    enough = len(kinds) >= FEWEST_TYPES and not poor
    remedy = "add types that this region offers to the profile."
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
    """`left`: calls of functions that may run at once and are kept for none of them."""
    verdict = CheckVerdict.OK
    if left < FEWEST_CALLS:
        verdict = CheckVerdict.FAIL if left < CALLS_OF_A_NEW_ACCOUNT else CheckVerdict.WARN
    return Check(
        what="functions at once",
        verdict=verdict,
        told=plural(left, "call"),
        remedy=""
        if verdict is CheckVerdict.OK
        else "ask AWS for more (Service Quotas, Lambda, L-B99A9384); until then leave "
        "CheckConcurrency at 5 and HeartbeatConcurrency at 0, and send small runs.",
    )


def quota_value(client: Any, service: str, code: str) -> float:
    """What the account has; where nobody ever changed it, what every account has."""
    asked = {"ServiceCode": service, "QuotaCode": code}
    try:
        answer = client.get_service_quota(**asked)
    except client.exceptions.NoSuchResourceException:
        answer = client.get_aws_default_service_quota(**asked)
    return float(answer["Quota"]["Value"])


def quota_check(quota: Quota, value: float, needed: int) -> Check:
    narrow = f"ask AWS for more (Service Quotas, EC2, {quota.code})."
    verdict = CheckVerdict.OK
    if value < SEVERAL * needed:
        verdict = CheckVerdict.FAIL if value < needed else CheckVerdict.WARN
    return Check(
        what=quota.name,
        verdict=verdict,
        told=f"{value:.0f} vCPUs; one machine takes {needed}",
        remedy="" if verdict is CheckVerdict.OK else narrow,
    )
