"""The release policies. The command line and pages of a report read them, too, so nothing heavy is
imported here."""

from __future__ import annotations

from functools import cache
from importlib.resources import files

from porewatch.domain.calls.release_policy import ReleasePolicies


@cache
def release_policies() -> ReleasePolicies:
    """The policies as published with this version."""
    path = files("porewatch_worker").joinpath("data/release.json")
    return ReleasePolicies.model_validate_json(path.read_bytes(), extra="forbid")
