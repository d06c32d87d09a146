"""A stack's default bundle: what it is, and the choice of another one, which the ledger keeps."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from porewatch.adapters.ledger.known_bundles import Shelf
from porewatch.domain.base import Model
from porewatch.domain.choices import DefaultChoice
from porewatch.domain.errors import BundleRefused
from porewatch_cli.submit.choices import (
    bundles_of,
    refuse_unknown_bundle,
)

if TYPE_CHECKING:
    from porewatch_cli.stack import Stack


class DefaultNow(Model):
    """`bundle`: of runs that name none. `deployed`: what the deployment names. `choices`: all of
    them, oldest first; the last one counts."""

    bundle: str
    there: bool
    deployed: str
    choices: tuple[DefaultChoice, ...]


def default_of(stack: Stack) -> DefaultNow:
    """As it stands. NotFound of a stack of an earlier version."""
    ref = stack.default_bundle
    return DefaultNow(
        bundle=ref,
        there=ref in bundles_of(stack),
        deployed=stack.output("DefaultBundle"),
        choices=Shelf(stack.table).choices(),
    )


def choose_default(stack: Stack, ref: str | None, *, by: str, reason: str, at: datetime) -> None:
    """Runs that begin from now on get it; None: what the deployment names. Choosing what was chosen
    already writes nothing. Raises BundleRefused when the stack does not have it; Conflict when
    somebody else chose meanwhile."""
    wanted = ref or stack.output("DefaultBundle")
    unsure = refuse_unknown_bundle(stack, wanted)
    if unsure:
        raise BundleRefused(
            f"the stack has no bundle at all, so {wanted} is no default.",
            remedy=f"porewatch references push {wanted}",
        )
    shelf = Shelf(stack.table)
    before = shelf.choices()
    if ref != (before[-1].ref if before else None):
        choice = DefaultChoice(ref=ref, at=at, by=by, reason=reason)
        shelf.choose(choice, after=len(before))
