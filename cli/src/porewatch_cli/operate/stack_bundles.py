"""Bundles of a stack: push one, choose the default, list them."""

from __future__ import annotations

import getpass
from pathlib import Path
from typing import TYPE_CHECKING

from rich.text import Text

from porewatch.adapters.ledger.known_bundles import Shelf
from porewatch.domain.base import now
from porewatch.domain.choices import KnownBundle
from porewatch.domain.errors import BundleRefused
from porewatch_cli.home import home
from porewatch_cli.operate.default_bundle import DefaultNow, choose_default, default_of
from porewatch_cli.operate.push_bundle import push_alert_part, push_bundle
from porewatch_cli.terminal import console, print_json, table

if TYPE_CHECKING:
    from porewatch_cli.stack import Stack


def push_there(
    stack: Stack, bundle: str, references: Path | None, *, replace: bool, as_json: bool
) -> None:
    """Push a bundle to a stack."""
    folder = references or home() / "references"
    sent = push_bundle(stack, folder, bundle, at=now(), replace=replace, quiet=as_json)
    alert_part = push_alert_part(stack, folder, bundle, at=now(), quiet=as_json)
    if as_json:
        print_json(sent)
        return
    for one in (sent, *([alert_part] if alert_part else [])):
        summary = f": {one.ref}, {one.size / 1e6:,.1f} MB, sha256 {one.sha256[:16]}"
        console.print(Text.assemble((f"stack {stack.name} has it", "green"), summary))


def default_there(
    stack: Stack,
    bundle: str | None,
    *,
    as_deployed: bool,
    reason: str,
    by: str | None,
    as_json: bool,
) -> bool:
    """Choose the default, or only show it. True when the stack has the default bundle."""
    if bundle and as_deployed:
        raise BundleRefused(
            f"{bundle} and --as-deployed exclude each other.", remedy="give one of them."
        )
    if bundle or as_deployed:
        choose_default(stack, bundle, by=by or getpass.getuser(), reason=reason, at=now())
    shown = default_of(stack)
    print_json(shown) if as_json else _show_default(shown)
    return shown.there


def register_there(stack: Stack, bundle: str, *, as_json: bool) -> None:
    """Record that an embedded stack has the bundle in its folder."""
    shelf = Shelf(stack.table)
    shelf.record(KnownBundle(ref=bundle, seen_at=now(), seen_by="porewatch references register"))
    known = shelf.known()
    if as_json:
        print_json(known)
    else:
        listed = ", ".join(one.ref for one in known)
        console.print(f"stack {stack.name} knows: {listed}")


def list_pushed(stack: Stack, *, as_json: bool) -> None:
    """List the bundles that were pushed to a stack."""
    pushed = stack.bundles.all() if stack.bundles is not None else ()
    if as_json:
        print_json(pushed)
        return
    standard = stack.default_bundle if "DefaultBundle" in stack.outputs else ""
    shown = table("", "bundle", "kind", "MB", "sha256", "pushed", "description", numeric=("MB",))
    for one in pushed:
        shown.add_row(
            f"{one.ref} (default)" if one.ref == standard else one.ref,
            "SYNTHETIC" if one.synthetic else "real",
            f"{one.size / 1e6:,.1f}",
            one.sha256[:16],
            f"{one.pushed_at:%Y-%m-%d %H:%M}",
            one.description,
        )
    console.print(shown if pushed else f"stack {stack.name} has none; `references push` sends one")


def _show_default(default: DefaultNow) -> None:
    status = (
        "is installed"
        if default.there
        else f"is missing: porewatch references push {default.bundle}"
    )
    console.print(
        f"{default.bundle} {status}. To change it: porewatch references default NAME@VERSION"
    )
    if default.bundle != default.deployed:
        console.print(f"  the deployment names {default.deployed}")
    for one in default.choices:
        why = f": {one.reason}" if one.reason else ""
        console.print(f"  {one.at:%Y-%m-%d %H:%M} {one.ref or 'as deployed'}, by {one.by}{why}")
