"""Commands about bundles of reference sequences: build, list, verify, push, set the default."""

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
        Path | None, typer.Option("--sheet", help="TSV: the role of each sequence")
    ] = None,
    description: Annotated[str, typer.Option("--description")] = "",
    fetch_known: Annotated[
        bool, typer.Option("--fetch", help="fetch the accessions of this version")
    ] = False,
    email: Annotated[str, typer.Option("--email", help="your address, required by NCBI")] = "",
    unconfirmed: Annotated[
        bool, typer.Option("--unconfirmed", help="also fetch accessions not yet confirmed")
    ] = False,
    references: RootOption = None,
    as_json: JsonOption = False,
) -> None:
    """Build a bundle from FASTA files, or by accession from NCBI."""
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
        typer.Option("--replace", help="replace a different bundle of this name"),
    ] = False,
    references: RootOption = None,
    as_json: JsonOption = False,
    stack: StackOption = None,
    profile: ProfileOption = None,
    region: RegionOption = None,
) -> None:
    """Push a bundle to a stack.

    Its instances fetch the bundle from there. Resumes if interrupted.
    """
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
        bool, typer.Option("--as-deployed", help="return to the default of the deployment")
    ] = False,
    reason: Annotated[str, typer.Option("--reason", help="why; recorded with the choice")] = "",
    by: ByOption = None,
    as_json: JsonOption = False,
    stack: StackOption = None,
    profile: ProfileOption = None,
    region: RegionOption = None,
) -> None:
    """Show or set the default bundle, for runs that name none.

    Shows whether the stack has it, and who chose it. A new default holds for runs that start later.
    """
    from porewatch_cli.operate.stack_bundles import default_there
    from porewatch_cli.stack import find_stack

    chosen = find_stack(stack, profile=profile, region=region)
    installed = default_there(
        chosen, bundle, as_deployed=as_deployed, reason=reason, by=by, as_json=as_json
    )
    if not installed:
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
    """Register a local bundle with an embedded stack.

    Runs of the stack can use it from then on.
    """
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
        typer.Option("--pushed", help="bundles pushed to the embedded AWS of this folder"),
    ] = False,
    as_json: JsonOption = False,
    stack: StackOption = None,
    profile: ProfileOption = None,
    region: RegionOption = None,
) -> None:
    """List local bundles, or those of a stack.

    With --stack or --pushed, the bundles that were pushed there.
    """
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
    """Hash every file of a bundle and compare with its manifest."""
    from porewatch_cli.operate.references import verify_here

    verify_here(bundle, references, as_json=as_json)
