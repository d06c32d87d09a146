"""The command that sends a run while the sequencer writes it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from porewatch.domain.reasons.catalogue import SOURCE
from porewatch_cli.commands.command import command
from porewatch_cli.options import (
    BlockOption,
    ExitZeroOption,
    JsonOption,
    LabOption,
    LanguageOption,
    LengthOption,
    ProfileOption,
    RegionOption,
    ReleaseOption,
    ServerOption,
    StackOption,
    read_limits,
)

if TYPE_CHECKING:
    from porewatch_cli.submit.submission import Submission
    from porewatch_cli.watch_folder.doors import Door
    from porewatch_cli.watch_folder.places import Watched

app = typer.Typer()


@command(
    app,
    "porewatch watch-folder /data/RUN --stack porewatch-prod --region eu-west-1",
    "porewatch watch-folder /data/RUN --server https://screens.example.org/v1 --project PROJECT",
    name="watch-folder",
)
def watch_folder(
    path: Annotated[Path, typer.Argument(help="the folder of one run, as MinKNOW writes it")],
    run_id: Annotated[
        str | None, typer.Option("--run-id", help="default: folder's name + its place")
    ] = None,
    sample_sheet: Annotated[
        Path | None, typer.Option("--sample-sheet", help="CSV or TSV: sample, barcode, role, ...")
    ] = None,
    lab: LabOption = None,
    layout: Annotated[
        str | None, typer.Option("--layout", help="which phases share an instance, as for submit")
    ] = None,
    bundle: Annotated[
        str | None, typer.Option("--bundle", help="reference bundle, NAME@VERSION")
    ] = None,
    release_policy: ReleaseOption = None,
    min_read_length: LengthOption = None,
    min_block: BlockOption = None,
    settle: Annotated[
        float,
        typer.Option(
            "--settle", min=1, max=3600, help="seconds without change after which a file is closed"
        ),
    ] = 60.0,
    journal: Annotated[
        Path | None,
        typer.Option("--journal", help="default: ~/.local/state/porewatch/, one a folder"),
    ] = None,
    exit_zero: ExitZeroOption = False,
    language: LanguageOption = SOURCE,
    as_json: JsonOption = False,
    server: ServerOption = None,
    project: Annotated[
        str | None, typer.Option("--project", help="with --server: the project, by name or id")
    ] = None,
    name: Annotated[
        str | None, typer.Option("--name", help="with --server: the run's name in the project")
    ] = None,
    stack: StackOption = None,
    profile: ProfileOption = None,
    region: RegionOption = None,
) -> None:
    """Send a run while MinKNOW writes it, seal it at the final summary, and follow it.

    Reads the folder only. Goes on where it was when it is started again.

    Exit codes, as submit --wait: 0 reportable, 3 not reportable, 4 refused, 5 failed or cancelled.
    With --json, one JSON document a line.
    """
    from porewatch_cli.commands.runs import watch_sent, watch_server
    from porewatch_cli.watch_folder.places import Watched, real_file, real_folder

    limits = read_limits(min_read_length, min_block)
    choices = {"profile": layout, "bundle": bundle, "release_policy": release_policy}
    folder = Watched(real_folder(path), real_file(sample_sheet), real_file(lab))
    if server:
        from porewatch_cli.remote.submit_run import Target
        from porewatch_cli.watch_folder.server_door import server_door

        cannot = {"--run-id": run_id, "read limits": limits}
        target = Target(server, project, name, choices, cannot)
        sent = _sent(folder, server_door(folder, target), journal, settle, as_json=as_json)
        watch_server(sent.run_id, server, as_json=as_json, exit_zero=exit_zero)
        return
    from porewatch_cli.watch_folder.stack_door import Where, stack_door

    door = stack_door(folder, Where(stack, profile, region), run_id, limits, choices)
    sent = _sent(folder, door, journal, settle, as_json=as_json)
    watch_sent(sent, door.stack, as_json=as_json, language=language, exit_zero=exit_zero)


def _sent(
    folder: Watched, door: Door, journal: Path | None, settle: float, *, as_json: bool
) -> Submission:
    from porewatch.domain.errors import SeveralRefused
    from porewatch_cli.submit import shown
    from porewatch_cli.terminal import fail, print_line
    from porewatch_cli.watch_folder.sealing import Pace
    from porewatch_cli.watch_folder.watch_folder import watch_folder

    try:
        sent = watch_folder(folder, door, journal=journal, pace=Pace(settle), as_json=as_json)
    except SeveralRefused as several:
        if not as_json:
            shown.faults(several.faults)
        fail(several, as_json=as_json)
    if as_json:
        print_line("submitted", shown.submitted(sent))
    else:
        shown.print_submitted(sent)
    return sent
