"""`porewatch references`: build, list, verify and push bundles of reference sequences."""

from __future__ import annotations

import getpass
import tempfile
from pathlib import Path
from typing import Annotated

import typer
from botocore.exceptions import BotoCoreError, ClientError
from rich.text import Text

from porewatch.adapters.ledger.known_bundles import Shelf
from porewatch.domain.base import now
from porewatch.domain.calls.references import (
    BundleManifest,
    ContigRole,
)
from porewatch.domain.choices import KnownBundle, refuse_bundle
from porewatch.domain.errors import BundleRefused, PorewatchError
from porewatch_cli.operate.default_bundle import (
    DefaultNow,
    choose_default,
    default_of,
)
from porewatch_cli.operate.push_bundle import push_bundle
from porewatch_cli.options import ByOption, JsonOption, ProfileOption, RegionOption, StackOption
from porewatch_cli.stack import Stack, find_stack, home
from porewatch_cli.submit.choices import record_bundles
from porewatch_cli.terminal import console, errors, print_json, speaks_plainly, table

app = typer.Typer(no_args_is_help=True)

RootOption = Annotated[
    Path | None,
    typer.Option("--references", help="folder of bundles (default: .porewatch/references)"),
]


@app.command()
@speaks_plainly
def build(
    name: Annotated[str, typer.Argument(metavar="NAME@VERSION")],
    folder: Annotated[
        Path | None, typer.Option("--from", help="folder of FASTA files (.fa, .fasta, .gz)")
    ] = None,
    accessions: Annotated[
        Path | None,
        typer.Option("--accessions", help="TSV of accessions to fetch from NCBI; needs a network"),
    ] = None,
    sheet: Annotated[
        Path | None, typer.Option("--sheet", help="TSV: which sequence plays which part")
    ] = None,
    description: Annotated[str, typer.Option("--description")] = "",
    fetch_known: Annotated[
        bool, typer.Option("--fetch", help="fetch the accessions this version ships")
    ] = False,
    email: Annotated[str, typer.Option("--email", help="NCBI asks for one")] = "",
    unconfirmed: Annotated[
        bool, typer.Option("--unconfirmed", help="also fetch accessions not yet confirmed")
    ] = False,
    references: RootOption = None,
    as_json: JsonOption = False,
) -> None:
    """Build a bundle from a folder of FASTA, or by accession from NCBI."""
    from porewatch_worker.references.building.build import build_bundle  # noqa: PLC0415 - loads minimap2
    from porewatch_worker.references.building.sheet import not_read  # noqa: PLC0415

    wanted, _, version = name.partition("@")
    if not version:
        raise BundleRefused(f"{name!r} has no version.", remedy="write NAME@VERSION, e.g. pig@1.")
    with tempfile.TemporaryDirectory() as scratch:
        if accessions or fetch_known:
            folder = folder or Path(scratch)
            sheet = _fetch(accessions, folder, email, unconfirmed)
        if folder is None:
            raise BundleRefused(
                "there is nothing to build from.",
                remedy="give --from FOLDER, --accessions FILE or --fetch.",
            )
        made = build_bundle(
            folder,
            references or home() / "references",
            wanted,
            version,
            sheet=sheet,
            description=description,
        )
        unread = not_read(folder)
    for path in unread:
        errors.print(f"not read, by its name no FASTA: {path}")
    if references is None:
        _record_where_up(made)
    print_json(made) if as_json else _show([made])


@app.command()
@speaks_plainly
def push(
    bundle: Annotated[str, typer.Argument(metavar="NAME@VERSION")],
    replace: Annotated[
        bool,
        typer.Option("--replace", help="the stack has another one of this name: use this from now"),
    ] = False,
    references: RootOption = None,
    as_json: JsonOption = False,
    stack: StackOption = None,
    profile: ProfileOption = None,
    region: RegionOption = None,
) -> None:
    """Send a bundle to a stack, whose machines fetch it from there. Goes on where it stopped."""
    chosen = find_stack(stack, profile=profile, region=region)
    sent = push_bundle(
        chosen,
        references or home() / "references",
        bundle,
        at=now(),
        replace=replace,
        quiet=as_json,
    )
    if as_json:
        print_json(sent)
        return
    said = f": {sent.ref}, {sent.size / 1e6:,.1f} MB, sha256 {sent.sha256[:16]}"
    console.print(Text.assemble((f"stack {chosen.name} has it", "green"), said))


@app.command()
@speaks_plainly
def default(
    bundle: Annotated[
        str | None, typer.Argument(metavar="[NAME@VERSION]", help="make this one the default")
    ] = None,
    as_deployed: Annotated[
        bool, typer.Option("--as-deployed", help="back to what the deployment names")
    ] = False,
    reason: Annotated[str, typer.Option("--reason", help="why; it stays in the record")] = "",
    by: ByOption = None,
    as_json: JsonOption = False,
    stack: StackOption = None,
    profile: ProfileOption = None,
    region: RegionOption = None,
) -> None:
    """Which bundle runs get that name none, whether the stack has it, and who chose it; or choose
    another one, for the runs that begin from then on."""
    chosen = find_stack(stack, profile=profile, region=region)
    if bundle and as_deployed:
        raise BundleRefused(
            f"{bundle} and --as-deployed are two choices.", remedy="give one of them."
        )
    if bundle or as_deployed:
        choose_default(chosen, bundle, by=by or getpass.getuser(), reason=reason, at=now())
    told = default_of(chosen)
    print_json(told) if as_json else _show_default(told)
    if not told.there:
        raise typer.Exit(code=1)


@app.command()
@speaks_plainly
def register(
    bundle: Annotated[str, typer.Argument(metavar="NAME@VERSION")],
    as_json: JsonOption = False,
    stack: StackOption = None,
    profile: ProfileOption = None,
    region: RegionOption = None,
) -> None:
    """Tell an embedded stack that this bundle lies in its folder, so that runs may ask for it."""
    refuse_bundle(bundle, ())
    chosen = find_stack(stack, profile=profile, region=region)
    shelf = Shelf(chosen.table)
    shelf.record(KnownBundle(ref=bundle, seen_at=now(), seen_by="porewatch references register"))
    known = shelf.known()
    if as_json:
        print_json(known)
    else:
        listed = ", ".join(one.ref for one in known)
        console.print(f"stack {chosen.name} knows: {listed}")


def _record_where_up(made: BundleManifest) -> None:
    """The embedded AWS of this folder knows at once what was built for it, when it is up."""
    try:
        record_bundles(find_stack(), [made], "porewatch references build")
    except (PorewatchError, ClientError, BotoCoreError):
        return  # it is down, or there is none: it looks into its folder itself


def _pushed_here() -> int:
    """How many bundles were pushed to the embedded AWS of this folder, when it is up."""
    try:
        embedded = find_stack()
        return len(embedded.bundles.all()) if embedded.bundles is not None else 0
    except (PorewatchError, ClientError, BotoCoreError):
        return 0


def _fetch(accessions: Path | None, folder: Path, email: str, unconfirmed: bool) -> Path:
    from porewatch_worker.references.building.fetch import (  # noqa: PLC0415
        Entrez,
        fetch,
        not_chosen,
        read_accessions,
        shipped_accessions,
    )
    from porewatch_worker.references.panel import shipped_panel  # noqa: PLC0415

    wanted = read_accessions(accessions) if accessions else shipped_accessions()
    for line in not_chosen(wanted, shipped_panel()):
        errors.print(f"no sequence: {line}")
    return fetch(
        wanted,
        folder,
        Entrez(email=email),
        unconfirmed=unconfirmed,
        told=errors.print,
    )


@app.command(name="list")
@speaks_plainly
def list_(
    references: RootOption = None,
    pushed: Annotated[
        bool,
        typer.Option("--pushed", help="those that were pushed to the embedded AWS of this folder"),
    ] = False,
    as_json: JsonOption = False,
    stack: StackOption = None,
    profile: ProfileOption = None,
    region: RegionOption = None,
) -> None:
    """All bundles of this machine; with --stack or --pushed those that were pushed there."""
    from porewatch_worker.references.installed import list_bundles  # noqa: PLC0415

    if pushed or stack or profile:
        return _list_pushed(find_stack(stack, profile=profile, region=region), as_json)
    found = list_bundles(references or home() / "references")
    if as_json:
        print_json(found)
    elif found:
        _show(found)
    else:
        console.print("no bundles yet; `porewatch references build` makes one")
    if not as_json and (count := _pushed_here()):
        console.print(f"pushed to the embedded AWS: {count} (porewatch references list --pushed)")
    return None


@app.command()
@speaks_plainly
def verify(
    bundle: Annotated[str, typer.Argument(metavar="NAME@VERSION")],
    references: RootOption = None,
    as_json: JsonOption = False,
) -> None:
    """Hash every file of a bundle again and compare with its manifest."""
    from porewatch_worker.references.building.decoys import (  # noqa: PLC0415
        list_of,
        missing_decoys,
    )
    from porewatch_worker.references.verify import verify_bundle  # noqa: PLC0415

    root = references or home() / "references"
    manifest = verify_bundle(root, bundle)
    for line in missing_decoys(manifest, list_of(root, manifest)):
        errors.print(Text.assemble(("no decoy", "yellow"), f": {line}"))
    if as_json:
        print_json(manifest)
    else:
        said = f": {manifest.ref}, {len(manifest.files)} files"
        console.print(Text.assemble(("sound", "green"), said))


def _show_default(told: DefaultNow) -> None:
    there = "is there" if told.there else f"is not there: porewatch references push {told.bundle}"
    console.print(f"{told.bundle} {there}. Another one: porewatch references default NAME@VERSION")
    if told.bundle != told.deployed:
        console.print(f"  the deployment names {told.deployed}")
    for one in told.choices:
        why = f": {one.reason}" if one.reason else ""
        console.print(f"  {one.at:%Y-%m-%d %H:%M} {one.ref or 'as deployed'}, by {one.by}{why}")


def _list_pushed(stack: Stack, as_json: bool) -> None:
    pushed = stack.bundles.all() if stack.bundles is not None else ()
    if as_json:
        return print_json(pushed)
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
    return None


def _show(bundles: list[BundleManifest]) -> None:
    numeric = ("panel targets", "decoys", "host bases")
    shown = table("", "bundle", "kind", *numeric, "description", numeric=numeric)
    for one in bundles:
        targets = {c.target for c in one.contigs if c.role is ContigRole.PANEL}
        decoys = {c.target for c in one.contigs if c.role is ContigRole.DECOY}
        shown.add_row(
            one.ref,
            "SYNTHETIC" if one.synthetic else "real",
            str(len(targets)),
            str(len(decoys)),
            f"{one.host_bases:,}",
            one.description,
        )
    console.print(shown)
