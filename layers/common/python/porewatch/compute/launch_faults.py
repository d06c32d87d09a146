"""Classify a failed launch. EC2 reports it in two ways, as an exception and as a list of errors in
an answer without instances; both use the same tables."""

from __future__ import annotations

import re
from collections.abc import Iterable

from porewatch.adapters.faults import THROTTLES
from porewatch.domain.errors import (
    CapacityUnavailable,
    ConfigurationRefused,
    LaunchUnknown,
    NotShownYet,
    PorewatchError,
    QuotaExceeded,
    Throttled,
)
from porewatch.domain.reasons.reason import RunCode, because

CAPACITY = frozenset(
    {
        "InsufficientInstanceCapacity",
        "InsufficientCapacity",
        "InsufficientHostCapacity",
        "InsufficientReservedInstanceCapacity",
        "InsufficientFreeAddressesInSubnet",
        "UnfulfillableCapacity",
        "Unsupported",  # this type is not offered in that zone
        "SpotMaxPriceTooLow",
    }
)
QUOTA = frozenset(
    {
        "MaxSpotInstanceCountExceeded",
        "SpotInstanceCountExceeded",
        "VcpuLimitExceeded",
        "InstanceLimitExceeded",
        "MaxFleetCountExceeded",
        "VolumeLimitExceeded",
        "MaxSpotFleetRequestCountExceeded",
    }
)
NOT_OFFERED = re.compile(r"not supported in your requested Availability Zone", re.IGNORECASE)
"""A fact of one pool, which CreateFleet calls a configuration."""
OUTCOME_UNKNOWN = frozenset(
    {"InternalError", "InternalFailure", "ServiceUnavailable", "Unavailable", "RequestTimeout"}
)
NOT_FOUND = re.compile(
    r"Invalid(LaunchTemplate(Id|Name)|SubnetID|Group(Id)?|SecurityGroupID|AMIID)\."
    r"(Version)?Not(Found|Available)(Exception)?"
)
"""Things the stack itself made: right after a deploy (a new version of the launch template, too)
some of EC2's servers do not know them yet."""
ORDER = (
    CapacityUnavailable,
    QuotaExceeded,
    LaunchUnknown,
    Throttled,
    NotShownYet,
    ConfigurationRefused,
)
"""When pools disagree the first one counts. Capacity stands before configuration, because a zone
that does not offer a type is reported as a configuration error."""


def class_for(code: str, why: str = "") -> type[PorewatchError]:
    """The error class of an EC2 error code, with its message where that decides. Unknown codes are
    a matter of configuration."""
    if code in CAPACITY or (code == "InvalidFleetConfiguration" and NOT_OFFERED.search(why)):
        return CapacityUnavailable
    if code in QUOTA:
        return QuotaExceeded
    if code in OUTCOME_UNKNOWN:
        return LaunchUnknown
    if NOT_FOUND.fullmatch(code):
        return NotShownYet
    return Throttled if code in THROTTLES else ConfigurationRefused


def launch_error(errors: Iterable[tuple[str, str]]) -> PorewatchError:
    """One error for the (code, message) pairs of an answer. No pairs: no capacity."""
    failures = sorted(errors)
    if not failures:
        return CapacityUnavailable(because(RunCode.FLEET_GAVE_NO_REASON))
    worst = min((class_for(*one) for one in failures), key=ORDER.index)
    of_class = [(code, why) for code, why in failures if class_for(code, why) is worst]
    codes = ", ".join(sorted({code for code, _ in of_class}))
    text = of_class[0][1]
    return worst(because(RunCode.NO_MACHINE, codes=codes, pools=len(failures), text=text))
