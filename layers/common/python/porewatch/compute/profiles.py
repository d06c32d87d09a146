"""How runs are laid out on machines: `profiles.json` beside this module, by name."""

from __future__ import annotations

from functools import cache
from importlib.resources import files

from porewatch.domain.base import Model
from porewatch.domain.errors import ManifestRefused
from porewatch.domain.phases import Profile


class Profiles(Model):
    profiles: tuple[Profile, ...]


@cache
def profiles() -> dict[str, Profile]:
    """All profiles by name."""
    text = files("porewatch.compute").joinpath("profiles.json").read_text()
    return {profile.name: profile for profile in Profiles.model_validate_json(text).profiles}


def profile(name: str) -> Profile:
    """The profile a run asked for. Raises ManifestRefused for a name that there is not."""
    found = profiles().get(name)
    if found is None:
        known = ", ".join(sorted(profiles()))
        raise ManifestRefused(
            f"there is no profile {name!r}.", remedy=f"use one of: {known}.", file="run.json"
        )
    return found
