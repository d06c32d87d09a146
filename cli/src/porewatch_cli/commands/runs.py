"""Commands about runs: submit, watch, list, logs."""

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
    RevisionOption,
    RunArgument,
    ServerOption,
    StackOption,
    read_limits,
)

if TYPE_CHECKING:
    from porewatch_cli.stack import Stack
    from porewatch_cli.submit.submission import Submission
    from porewatch_cli.submit.wait_for_stack import Sent
    from porewatch_worker.report.parts.languages import Language

app = typer.Typer()


@command(
    app,
    "porewatch submit RUN_FOLDER --sample-sheet samples.csv --bundle pig@1 --wait",
    "porewatch submit reads.fastq.gz --stack porewatch-prod --region eu-west-1",
    "porewatch submit RUN_FOLDER --server https://screens.example.org/v1 --project PROJECT",
)
def submit(
    path: Annotated[Path, typer.Argument(help="reads file, folder, MinKNOW folder, or .tar")],
    run_id: Annotated[str | None, typer.Option("--run-id", help="default: name + content")] = None,
    sample_sheet: Annotated[
        Path | None, typer.Option("--sample-sheet", help="CSV or TSV: sample, barcode, role, ...")
    ] = None,
    lab: LabOption = None,
    layout: Annotated[
        str | None,
        typer.Option(
            "--layout",
            help="which phases share an instance: default or one-instance-per-phase (AWS Batch: "
            "default-on-batch, one-instance-per-phase-on-batch)",
        ),
    ] = None,
    bundle: Annotated[
        str | None, typer.Option("--bundle", help="reference bundle, NAME@VERSION")
    ] = None,
    release_policy: ReleaseOption = None,
    min_read_length: LengthOption = None,
    min_block: BlockOption = None,
    wait: Annotated[bool, typer.Option("--wait", help="watch the run until it is over")] = False,
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
    """Check reads, upload them, and seal the run.

    Bad input is refused before anything is uploaded.

    Exit codes with --wait: 0 reportable, 3 not reportable, 4 refused, 5 failed or cancelled.
    With --wait --json, one JSON document a line.
    """
    from porewatch.domain.errors import SeveralRefused
    from porewatch_cli.remote.submit_run import Target, send_to_server
    from porewatch_cli.stack import find_stack
    from porewatch_cli.submit import shown
    from porewatch_cli.submit.submit import submit as send_run
    from porewatch_cli.terminal import fail, print_json, print_line

    chosen = None if server else find_stack(stack, profile=profile, region=region)
    limits = read_limits(min_read_length, min_block)
    try:
        if chosen is None:
            options = {"profile": layout, "bundle": bundle, "release_policy": release_policy}
            cannot = {"--run-id": run_id, "read limits": limits}
            target = Target(server or "", project, name, options, cannot)
            sent = send_to_server(path, target, sheet=sample_sheet, lab=lab, quiet=as_json)
        else:
            sent = send_run(
                path,
                stack=chosen,
                run_id=run_id,
                sample_sheet=sample_sheet,
                lab=lab,
                profile=layout,
                bundle=bundle,
                release_policy=release_policy,
                read_limits=limits,
                quiet=as_json,
            )
    except SeveralRefused as several:
        if not as_json:
            shown.faults(several.faults)
        fail(several, as_json=as_json)
    if as_json and wait:
        print_line("submitted", shown.submitted(sent))
    elif as_json:
        print_json(shown.submitted(sent))
    else:
        shown.print_submitted(sent)
    if wait and chosen is None:
        watch_server(sent.run_id, server or "", as_json=as_json, exit_zero=exit_zero)
    elif wait and chosen is not None:
        watch_sent(sent, chosen, as_json=as_json, language=language, exit_zero=exit_zero)


@command(
    app,
    "porewatch watch RUN",
    "porewatch watch RUN --revision 0 --json",
    "porewatch watch RUN --server https://screens.example.org/v1",
)
def watch(
    run: RunArgument,
    revision: RevisionOption = None,
    language: LanguageOption = SOURCE,
    exit_zero: ExitZeroOption = False,
    as_json: JsonOption = False,
    server: ServerOption = None,
    stack: StackOption = None,
    profile: ProfileOption = None,
    region: RegionOption = None,
) -> None:
    """Follow a run: phases, progress, suspicions, instance, cost.

    With --json, one JSON document a line.

    Exit codes: 0 reportable, 3 not reportable, 4 refused, 5 failed or cancelled.
    """
    from porewatch_cli.stack import find_stack

    if server is not None:
        watch_server(run, server, as_json=as_json, exit_zero=exit_zero)
        return
    chosen = find_stack(stack, profile=profile, region=region)
    _watch_and_report(
        run,
        chosen,
        as_json=as_json,
        language=language,
        exit_zero=exit_zero,
        revision=revision,
    )


def watch_server(run: str, server: str, *, as_json: bool, exit_zero: bool) -> None:
    """Follow a run of a server; leaves with its exit code."""
    from porewatch_cli import exit_codes
    from porewatch_cli.remote.server import Server
    from porewatch_cli.remote.watch_run import watch_run

    ended = watch_run(Server(server), run, as_json=as_json)
    if code := exit_codes.of_state(ended.state, ended.outcome, exit_zero=exit_zero):
        raise typer.Exit(code)


def watch_sent(
    sent: Submission, stack: Stack, *, as_json: bool, language: Language, exit_zero: bool
) -> None:
    """Follow what was sent to a stack; leaves with its exit code."""
    from porewatch_cli.submit.wait_for_stack import Sent

    awaited = Sent(sent.digest) if sent.digest else None
    _watch_and_report(
        sent.run_id, stack, as_json=as_json, language=language, exit_zero=exit_zero, sent=awaited
    )


def _watch_and_report(
    run: str,
    stack: Stack,
    *,
    as_json: bool,
    language: Language,
    exit_zero: bool,
    sent: Sent | None = None,
    revision: int | None = None,
) -> None:
    from porewatch_cli import exit_codes
    from porewatch_cli.commands import output
    from porewatch_cli.runs.watch import watch as watch_run
    from porewatch_worker.report.parts.i18n import speaking

    with speaking(language):
        last = watch_run(run, stack, sent=sent, revision=revision, as_json=as_json)
    if not as_json:
        output.ending(stack, last.run, language)
    if code := exit_codes.of_run(last.run, exit_zero=exit_zero):
        raise typer.Exit(code)


@command(
    app,
    "porewatch list",
    "porewatch list --stack porewatch-prod --json",
    name="list",
)
def list_runs(
    as_json: JsonOption = False,
    server: ServerOption = None,
    stack: StackOption = None,
    profile: ProfileOption = None,
    region: RegionOption = None,
) -> None:
    """List all runs, newest first. With --server, those that you may see."""
    if server is not None:
        from porewatch_cli.remote.server import Server
        from porewatch_cli.remote.show import show_runs

        return show_runs(Server(server), as_json=as_json)
    from porewatch_cli.commands import output
    from porewatch_cli.stack import find_stack

    output.runs(find_stack(stack, profile=profile, region=region), as_json=as_json)


@command(
    app,
    "porewatch logs RUN",
    "porewatch logs RUN --stage screen",
)
def logs(
    run: RunArgument,
    revision: RevisionOption = None,
    stage: Annotated[str | None, typer.Option("--stage", help="only this stage")] = None,
    language: LanguageOption = SOURCE,
    as_json: JsonOption = False,
    stack: StackOption = None,
    profile: ProfileOption = None,
    region: RegionOption = None,
) -> None:
    """Show the run's history and the logs of its workers."""
    from porewatch_cli.runs.logs import logs as show_logs
    from porewatch_cli.stack import find_stack
    from porewatch_worker.report.parts.i18n import speaking

    chosen = find_stack(stack, profile=profile, region=region)
    with speaking(language):
        show_logs(chosen, run, stage, as_json=as_json, revision=revision)


@command(app, "porewatch tier --server https://screens.example.org/v1")
def tier(
    server: Annotated[str, typer.Option("--server", help="the server's API")],
    as_json: JsonOption = False,
) -> None:
    """Show your tier at a server, what it allows, and what you used in this month."""
    from porewatch_cli.remote.server import Server
    from porewatch_cli.remote.tier import show_tier

    show_tier(Server(server), as_json=as_json)


@command(app, "porewatch login --server https://screens.example.org/v1")
def login(
    server: Annotated[str, typer.Option("--server", help="the server's API")],
    as_json: JsonOption = False,
) -> None:
    """Keep your token of a server, for commands with --server.

    Make a token on the account page. It is asked for here, or read from standard input.
    """
    from dataclasses import asdict

    from porewatch_cli.remote.login import log_in
    from porewatch_cli.terminal import console, print_json

    done = log_in(server)
    if as_json:
        print_json(asdict(done))
    else:
        console.print(f"signed in as {done.name}; the token is kept in {done.file}")
