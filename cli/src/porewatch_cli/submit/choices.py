"""Check the layout, bundle and release policy of a submission before any file is read."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from porewatch.adapters.ledger.known_bundles import Shelf
from porewatch.compute.layouts import layouts
from porewatch.domain.base import now
from porewatch.domain.calls.release_policy import (
    ANY,
    refuse_other,
)
from porewatch.domain.choices import KnownBundle, refuse_bundle, refuse_name
from porewatch.domain.runs import RunState
from porewatch_cli.stack import Stack
from porewatch_worker.science.release.policies import release_policies

if TYPE_CHECKING:
    from porewatch.domain.calls.references import BundleManifest

MOST_RUNS = 500
"""Latest runs whose bundles are listed."""


def refuse_mistyped(
    stack: Stack, *, layout: str | None, bundle: str | None, release_policy: str | None
) -> tuple[str, ...]:
    """Remarks about what could not be checked. Raises Refused, with the valid names, for a name
    that does not exist. None: not chosen."""
    if layout is not None:
        refuse_name("layout", "--layout", layout, layouts())
    if release_policy is not None:
        policies = [policy.name for policy in release_policies().policies]
        refuse_name("release policy", "--release-policy", release_policy, policies)
        refuse_other(release_policy, policies_taken(stack))
    remark = None if bundle is None else refuse_unknown_bundle(stack, bundle)
    return (remark,) if remark else ()


def refuse_unknown_bundle(stack: Stack, bundle: str) -> str | None:
    """A remark when no bundle of the stack is known. Raises BundleRefused when the stack does not
    have `bundle`."""
    known = bundles_of(stack)
    if not known and stack.bundles is not None:
        refuse_bundle(bundle, {bundle})  # its shape
        stack.bundles.digest_of(bundle)
    return refuse_bundle(bundle, known)


def policies_taken(stack: Stack) -> tuple[str, ...]:
    """The release policies that the stack accepts, or ANY."""
    return tuple(stack.outputs.get("ReleasePolicies", ANY).split(","))


def bundles_of(stack: Stack) -> set[str]:
    """Every bundle that was pushed to the stack. On the embedded AWS, and for a stack of an earlier
    version, also bundles that were registered, that a completed run used, or that are in the
    folder."""
    pushed = {bundle.ref for bundle in stack.bundles.all()} if stack.bundles is not None else set()
    if stack.bundles is not None and not stack.is_local:
        return pushed
    used = (run for run in islice(stack.runs.list(), MOST_RUNS) if run.bundle)
    seen = pushed | {str(run.bundle) for run in used if run.state is RunState.COMPLETED}
    seen |= {bundle.ref for bundle in Shelf(stack.table).known()}
    folder = stack.references
    return seen | {bundle.ref for bundle in _bundles_in(folder)} if folder is not None else seen


def record_bundles(stack: Stack, bundles: Iterable[BundleManifest], seen_by: str) -> None:
    """Record in the ledger that the stack has them."""
    shelf = Shelf(stack.table)
    for bundle in bundles:
        shelf.record(
            KnownBundle(ref=bundle.ref, synthetic=bundle.synthetic, seen_at=now(), seen_by=seen_by)
        )


def _bundles_in(folder: Path) -> list[BundleManifest]:
    from porewatch_worker.references.installed import list_bundles  # noqa: PLC0415 - loads minimap2

    return list_bundles(folder)
