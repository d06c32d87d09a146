"""Commands about bundles of reference sequences: build, list, verify, push, choose."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from porewatch_cli.commands.command import command, group
from porewatch_cli.options import ByOption, JsonOption, ProfileOption, RegionOption, StackOption

app = group("Build, list, verify and push bundles.")

RootOption = Annotated[
    Path | None,
    typer.Option("--references", help="folder of bundles (default: .porewatch/references)"),
]


@command(
    app,
    "porewatch references build pig@1 --from FASTA_FOLDER",
    "porewatch references build pig@1 --fetch --email me@example.org",
)
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
    from porewatch_cli.operate.references import build_here

    build_here(
        name,
        folder,
        accessions=accessions,
        fetch_known=fetch_known,
        email=email,
        unconfirmed=unconfirmed,
        sheet=sheet,
        description=description,
        references=references,
        as_json=as_json,
    )


@command(
    app,
    "porewatch references push pig@1 --stack porewatch-prod",
)
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
    from porewatch_cli.operate.stack_bundles import push_there
    from porewatch_cli.stack import find_stack

    chosen = find_stack(stack, profile=profile, region=region)
    push_there(chosen, bundle, references, replace=replace, as_json=as_json)


@command(
    app,
    "porewatch references default",
    'porewatch references default pig@2 --reason "new assembly"',
)
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
    from porewatch_cli.operate.stack_bundles import default_there
    from porewatch_cli.stack import find_stack

    chosen = find_stack(stack, profile=profile, region=region)
    there = default_there(
        chosen, bundle, as_deployed=as_deployed, reason=reason, by=by, as_json=as_json
    )
    if not there:
        raise typer.Exit(1)


@command(
    app,
    "porewatch references register pig@1",
)
def register(
    bundle: Annotated[str, typer.Argument(metavar="NAME@VERSION")],
    as_json: JsonOption = False,
    stack: StackOption = None,
    profile: ProfileOption = None,
    region: RegionOption = None,
) -> None:
    """Tell an embedded stack that this bundle lies in its folder, so that runs may ask for it."""
    from porewatch.domain.choices import refuse_bundle
    from porewatch_cli.operate.stack_bundles import register_there
    from porewatch_cli.stack import find_stack

    refuse_bundle(bundle, ())
    register_there(find_stack(stack, profile=profile, region=region), bundle, as_json=as_json)


@command(
    app,
    "porewatch references list",
    "porewatch references list --stack porewatch-prod",
    name="list",
)
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
    if pushed or stack or profile:
        from porewatch_cli.operate.stack_bundles import list_pushed
        from porewatch_cli.stack import find_stack

        list_pushed(find_stack(stack, profile=profile, region=region), as_json=as_json)
        return
    from porewatch_cli.operate.references import list_here

    list_here(references, as_json=as_json)


@command(
    app,
    "porewatch references verify pig@1",
)
def verify(
    bundle: Annotated[str, typer.Argument(metavar="NAME@VERSION")],
    references: RootOption = None,
    as_json: JsonOption = False,
) -> None:
    """Hash every file of a bundle again and compare with its manifest."""
    from porewatch_cli.operate.references import verify_here

    verify_here(bundle, references, as_json=as_json)
