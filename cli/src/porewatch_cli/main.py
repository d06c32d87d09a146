"""`porewatch`: screen nanopore reads for pathogens, here or in the cloud.

One verb, one module; this file only says what the verbs are called and what they take.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Literal

import typer

from porewatch import __version__
from porewatch.domain.errors import InputRefused
from porewatch.domain.report import Report
from porewatch.domain.runs import RunState
from porewatch_cli import chaos as chaos_verbs
from porewatch_cli import cost as cost_verbs
from porewatch_cli import prices as price_verbs
from porewatch_cli import references as reference_verbs
from porewatch_cli import show
from porewatch_cli.audit import audit_report
from porewatch_cli.compare import compare_runs
from porewatch_cli.doctor import Verdict, examine
from porewatch_cli.embedded import run_embedded
from porewatch_cli.gather import SeveralRefused
from porewatch_cli.reap import reap as look_for_leftovers
from porewatch_cli.redrive import redrive as dead_letters
from porewatch_cli.screen import screen_here
from porewatch_cli.stack import Stack, find_stack
from porewatch_cli.submit import submit as send_run
from porewatch_cli.terminal import EXIT_FAILED, console, fail, print_json, speaks_plainly
from porewatch_cli.validate import validate_here
from porewatch_cli.watch import watch as watch_run
from porewatch_worker.report.speech import Language

app = typer.Typer(
    help="Screen nanopore reads for pathogens, on machines that may die at any line.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.add_typer(reference_verbs.app, name="references", help="Build, list and verify bundles.")
app.add_typer(cost_verbs.app, name="cost", help="The bill of a run; a forecast before it.")
app.add_typer(price_verbs.app, name="prices", help="The price snapshot: show it, ask AWS anew.")
app.add_typer(chaos_verbs.app, name="chaos", help="Break things on purpose.")

RunArgument = Annotated[str, typer.Argument(metavar="RUN", help="the run's id")]
JsonOption = Annotated[bool, typer.Option("--json", help="print JSON, for scripts")]
StackOption = Annotated[
    str | None,
    typer.Option("--stack", help="a deployed stack (default: the embedded AWS of this folder)"),
]
ProfileOption = Annotated[str | None, typer.Option("--profile", help="AWS profile of the stack")]
LanguageOption = Annotated[Language, typer.Option("--language", help="of what people read")]
ReleaseOption = Annotated[
    str, typer.Option("--release-policy", help="controls a run must have: default, donor-screening")
]
RegionOption = Annotated[str | None, typer.Option("--region", help="AWS region of the stack")]


@app.command()
@speaks_plainly
def submit(
    path: Annotated[Path, typer.Argument(help="reads file, folder, MinKNOW folder, or .tar")],
    run_id: Annotated[str | None, typer.Option("--run-id", help="default: name + content")] = None,
    sample_sheet: Annotated[
        Path | None, typer.Option("--sample-sheet", help="CSV or TSV: sample, barcode, role, ...")
    ] = None,
    layout: Annotated[
        str, typer.Option("--layout", help="which phases share a machine")
    ] = "default",
    bundle: Annotated[
        str | None, typer.Option("--bundle", help="reference bundle, NAME@VERSION")
    ] = None,
    release_policy: ReleaseOption = "default",
    wait: Annotated[bool, typer.Option("--wait", help="watch the run until it is over")] = False,
    language: LanguageOption = "en",
    as_json: JsonOption = False,
    stack: StackOption = None,
    profile: ProfileOption = None,
    region: RegionOption = None,
) -> None:
    """Check the reads here, send them, and seal the run. Bad input is refused before uploading."""
    chosen = find_stack(stack, profile=profile, region=region)
    try:
        sent = send_run(
            path,
            stack=chosen,
            run_id=run_id,
            sample_sheet=sample_sheet,
            profile=layout,
            bundle=bundle,
            release_policy=release_policy,
            quiet=as_json,
        )
    except SeveralRefused as several:
        if not as_json:
            show.faults(several.faults)
        fail(several, as_json=as_json)
    if as_json:
        print_json(show.submitted(sent))
    else:
        show.say_submitted(sent)
    if wait:
        _watch_and_report(sent.run_id, chosen, as_json, language)


@app.command()
@speaks_plainly
def watch(
    run: RunArgument,
    language: LanguageOption = "en",
    as_json: JsonOption = False,
    stack: StackOption = None,
    profile: ProfileOption = None,
    region: RegionOption = None,
) -> None:
    """Live phases, progress, instance and cost, until the run is over."""
    _watch_and_report(run, find_stack(stack, profile=profile, region=region), as_json, language)


def _watch_and_report(run: str, stack: Stack, as_json: bool, language: Language) -> None:
    last = watch_run(run, stack, as_json=as_json)
    if last.run.state is RunState.COMPLETED:
        if not as_json:
            show.summary(stack, last.run, language)
        return
    if not as_json:
        console.print(f"[bold red]{last.run.state.value}[/]: {last.run.problem}", highlight=False)
    raise typer.Exit(EXIT_FAILED)


@app.command(name="list")
@speaks_plainly
def list_runs(
    as_json: JsonOption = False,
    stack: StackOption = None,
    profile: ProfileOption = None,
    region: RegionOption = None,
) -> None:
    """All runs, newest first."""
    show.runs(find_stack(stack, profile=profile, region=region), as_json=as_json)


@app.command()
@speaks_plainly
def report(
    run: RunArgument,
    out: Annotated[
        Path | None, typer.Option("--out", help="also save report.json, .html and .pdf here")
    ] = None,
    language: LanguageOption = "en",
    as_json: JsonOption = False,
    stack: StackOption = None,
    profile: ProfileOption = None,
    region: RegionOption = None,
) -> None:
    """What was found, with its evidence; and links to (or copies of) the three reports."""
    chosen = find_stack(stack, profile=profile, region=region)
    show.report(chosen, run, out=out, as_json=as_json, language=language)


@app.command()
@speaks_plainly
def compare(
    before: Annotated[str, typer.Argument(metavar="RUN_A", help="a run, or its report.json")],
    after: Annotated[str, typer.Argument(metavar="RUN_B", help="a run, or its report.json")],
    out: Annotated[Path | None, typer.Option("--out", help="also write HTML pages here")] = None,
    language: LanguageOption = "en",
    as_json: JsonOption = False,
    stack: StackOption = None,
    profile: ProfileOption = None,
    region: RegionOption = None,
) -> None:
    """What changed between two runs: findings, evidence, amounts, controls, versions, cost."""

    def fetch(run: str) -> Report:
        return show.fetch_report(find_stack(stack, profile=profile, region=region), run)

    compare_runs(before, after, fetch=fetch, out=out, language=language, as_json=as_json)


@app.command()
@speaks_plainly
def audit(
    report: Annotated[str, typer.Argument(metavar="RUN", help="a run, or its report.json")],
    as_json: JsonOption = False,
    stack: StackOption = None,
    profile: ProfileOption = None,
    region: RegionOption = None,
) -> None:
    """Check a report against its audit trail. Names every entry that was changed; exit code 1."""

    def fetch(run: str) -> Report:
        return show.fetch_report(find_stack(stack, profile=profile, region=region), run)

    if not audit_report(report, fetch=fetch, as_json=as_json):
        raise typer.Exit(EXIT_FAILED)


@app.command()
@speaks_plainly
def logs(
    run: RunArgument,
    stage: Annotated[str | None, typer.Option("--stage", help="only this stage")] = None,
    as_json: JsonOption = False,
    stack: StackOption = None,
    profile: ProfileOption = None,
    region: RegionOption = None,
) -> None:
    """What the workers wrote, machine by machine, and what happened to the run."""
    show.logs(find_stack(stack, profile=profile, region=region), run, stage, as_json=as_json)


@app.command()
@speaks_plainly
def doctor(
    as_json: JsonOption = False,
    stack: StackOption = None,
    profile: ProfileOption = None,
    region: RegionOption = None,
) -> None:
    """Would a launch work? Image, subnets, endpoints, types, quotas, queues; exit code 1 if not."""
    checks = examine(find_stack(stack, profile=profile, region=region))
    show.checks(checks, as_json=as_json)
    if any(check.verdict is Verdict.FAIL for check in checks):
        raise typer.Exit(EXIT_FAILED)


@app.command()
@speaks_plainly
def redrive(
    queue: Annotated[str | None, typer.Argument(help="only this queue, e.g. files")] = None,
    move: Annotated[bool, typer.Option("--move", help="send the letters back")] = False,
    as_json: JsonOption = False,
    stack: StackOption = None,
    profile: ProfileOption = None,
    region: RegionOption = None,
) -> None:
    """Show what could not be handled; with --move, send it back to its queue."""
    chosen = find_stack(stack, profile=profile, region=region)
    dead_letters(chosen, queue, move=move, as_json=as_json)


@app.command()
@speaks_plainly
def reap(
    dry_run: Annotated[
        bool, typer.Option("--dry-run/--yes", help="look only; --yes: end what was seen twice")
    ] = True,
    kills: Annotated[int, typer.Option("--kills", min=0, max=1000, help="show the last ends")] = 0,
    as_json: JsonOption = False,
    stack: StackOption = None,
    profile: ProfileOption = None,
    region: RegionOption = None,
) -> None:
    """What still costs money and is of no use to anybody: instances, volumes, uploads, ..."""
    chosen = find_stack(stack, profile=profile, region=region)
    look_for_leftovers(chosen, dry=dry_run, kills=kills, as_json=as_json)


@app.command()
@speaks_plainly
def screen(
    reads: Annotated[list[Path], typer.Argument(help=".fastq(.gz) or .bam files")],
    references: Annotated[
        Path, typer.Option("--references", help="a bundle's folder, or the folder of bundles")
    ],
    out: Annotated[Path, typer.Option("--out", help="where the reports go")],
    bundle: Annotated[str | None, typer.Option("--bundle", help="NAME@VERSION")] = None,
    sample_sheet: Annotated[Path | None, typer.Option("--sample-sheet")] = None,
    threads: Annotated[int, typer.Option("--threads", min=1)] = 2,
    release_policy: ReleaseOption = "default",
    language: LanguageOption = "en",
    as_json: JsonOption = False,
) -> None:
    """Run the worker's phases in this process: no cloud, the same report. Resumes when killed."""
    if not reads:
        raise InputRefused("no reads were named.", remedy="name at least one .fastq.gz or .bam.")
    screen_here(
        reads,
        references=references,
        out=out,
        bundle=bundle,
        sample_sheet=sample_sheet,
        threads=threads,
        as_json=as_json,
        language=language,
        release_policy=release_policy,
    )


@app.command()
@speaks_plainly
def validate(
    size: Annotated[
        Literal["small", "medium", "full"], typer.Option("--size", help="full takes many minutes")
    ] = "small",
    out: Annotated[
        Path | None, typer.Option("--out", help="also write validation.json and .html here")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Screen made runs with known truth: agreement and LOD95. Exit code 1 if too low."""
    validate_here(size, out, as_json=as_json)


@app.command()
@speaks_plainly
def up(as_json: JsonOption = False) -> None:
    """Start the embedded AWS of this folder and deploy to it."""
    raise typer.Exit(run_embedded("up", as_json))


@app.command()
@speaks_plainly
def down(as_json: JsonOption = False) -> None:
    """Stop the embedded AWS; runs and reports stay on disk."""
    raise typer.Exit(run_embedded("down", as_json))


@app.command()
def version() -> None:
    """Print the version."""
    sys.stdout.write(f"porewatch {__version__}\n")


if __name__ == "__main__":
    app()
