"""What a submission may choose by name, and the refusal of a name that does not exist. Pure.

A mistyped name is refused before anything is hashed, uploaded or launched. What a stack does not
know of itself (which bundles lie in its folder, before anybody saw one) is not refused.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Collection, Sequence

from porewatch.domain.base import Model, Moment
from porewatch.domain.errors import BundleRefused, ManifestRefused

BUNDLE_REF = re.compile(r"^[a-z0-9][a-z0-9-]{0,40}@[0-9A-Za-z][0-9A-Za-z.-]{0,40}$")


class KnownBundle(Model):
    """A bundle that was seen on a stack. `seen_by`: the command or the machine that saw it."""

    ref: str
    synthetic: bool = False
    seen_at: Moment
    seen_by: str = ""


class DefaultChoice(Model):
    """Which bundle runs get that name none, from `at` on: `ref`, or None for the one that the
    deployment names (parameter DefaultBundle). `by` and `reason`: as the person gave them."""

    ref: str | None
    at: Moment
    by: str
    reason: str = ""


def default_bundle(deployed: str, choices: Sequence[DefaultChoice]) -> str:
    """The rule: the last choice wins over what the deployment names. `choices`: oldest first."""
    chosen = choices[-1].ref if choices else None
    return chosen or deployed


def refuse_name(what: str, option: str, name: str, choices: Collection[str]) -> None:
    """Raises ManifestRefused naming the choices when `name` is none of them."""
    if name not in choices:
        listed = ", ".join(sorted(choices))
        raise ManifestRefused(
            f"there is no {what} {name!r}.",
            remedy=f"{_meant(name, choices)}use one of: {listed} ({option}).",
        )


def refuse_bundle(ref: str, known: Collection[str]) -> str | None:
    """Raises BundleRefused for a name of the wrong shape, or one that is not among the `known`.

    Answers a remark when nothing is known, so that nothing could be compared.
    """
    if not BUNDLE_REF.fullmatch(ref):
        raise BundleRefused(f"{ref!r} is not a bundle.", remedy="write it as NAME@VERSION.")
    if not known:
        return (
            f"whether the stack has bundle {ref} could not be checked: it has no record of its "
            "bundles yet (the first run, or `porewatch references push`, makes one)."
        )
    if ref not in known:
        raise BundleRefused(
            f"the stack knows no bundle {ref}.",
            remedy=f"{_meant(ref, known)}it knows {', '.join(sorted(known))}. Another one is "
            f"sent there by porewatch references push {ref}.",
        )
    return None


def _meant(name: str, choices: Collection[str]) -> str:
    near = difflib.get_close_matches(name, list(choices), 1, 0.6)
    return f"did you mean {near[0]}? " if near else ""
