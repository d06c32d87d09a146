"""A stack's default bundle: show it, or choose another one; the ledger records each choice."""

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
    """`bundle`: for runs that name none. `deployed`: the default of the deployment. `choices`: all
    of them, oldest first; the last one counts."""

    bundle: str
    there: bool
    deployed: str
    choices: tuple[DefaultChoice, ...]


def default_of(stack: Stack) -> DefaultNow:
    """The current default. NotFound for a stack of an earlier version."""
    ref = stack.default_bundle
    return DefaultNow(
        bundle=ref,
        there=ref in bundles_of(stack),
        deployed=stack.output("DefaultBundle"),
        choices=Shelf(stack.table).choices(),
    )


def choose_default(stack: Stack, ref: str | None, *, by: str, reason: str, at: datetime) -> None:
    """Set the default for runs that start from now on; None: that of the deployment. Idempotent.
    Raises BundleRefused when the stack does not have it; Conflict on a concurrent choice."""
    wanted = ref or stack.output("DefaultBundle")
    remark = refuse_unknown_bundle(stack, wanted)
    if remark:
        raise BundleRefused(
            f"the stack has no bundles, so {wanted} cannot be its default.",
            remedy=f"porewatch references push {wanted}",
        )
    shelf = Shelf(stack.table)
    earlier = shelf.choices()
    if ref != (earlier[-1].ref if earlier else None):
        choice = DefaultChoice(ref=ref, at=at, by=by, reason=reason)
        shelf.choose(choice, after=len(earlier))
