"""Commands about reports: read one, compare two, audit one, sign one.

A person signs: by a server, with a token of his own, and by signing in again in a browser.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from porewatch.domain.reasons.catalogue import SOURCE
from porewatch_cli.commands.command import command
from porewatch_cli.options import (
    JsonOption,
    LanguageOption,
    ProfileOption,
    RegionOption,
    RevisionOption,
    RunArgument,
    ServerOption,
    StackOption,
)

app = typer.Typer()

Needed = Annotated[
    str, typer.Option("--server", help="a server's API, asked with your token", show_default=False)
]
Samples = Annotated[
    list[str] | None,
    typer.Option("--sample", help="sign this sample alone; may be repeated (default: all)"),
]


@command(
    app,
    "porewatch report RUN --out FOLDER",
    "porewatch report RUN --language ja",
)
def report(
    run: RunArgument,
    revision: RevisionOption = None,
    out: Annotated[
        Path | None, typer.Option("--out", help="also save report.json, .html and .pdf here")
    ] = None,
    language: LanguageOption = SOURCE,
    as_json: JsonOption = False,
    server: ServerOption = None,
    stack: StackOption = None,
    profile: ProfileOption = None,
    region: RegionOption = None,
) -> None:
    """Show findings with their evidence, and the reports.

    Links to the reports, or copies of them with --out.
    """
    if server is not None:
        from porewatch_cli.remote.server import Server
        from porewatch_cli.remote.show import show_report

        return show_report(Server(server), run, out=out, as_json=as_json)
    from porewatch_cli.commands import output
    from porewatch_cli.stack import find_stack

    chosen = find_stack(stack, profile=profile, region=region)
    output.report(chosen, run, out=out, as_json=as_json, language=language, revision=revision)


@command(
    app,
    "porewatch compare RUN_A RUN_B --out FOLDER",
    "porewatch compare before/report.json after/report.json",
)
def compare(
    before: Annotated[str, typer.Argument(metavar="RUN_A", help="a run, or its report.json")],
    after: Annotated[str, typer.Argument(metavar="RUN_B", help="a run, or its report.json")],
    out: Annotated[Path | None, typer.Option("--out", help="also write HTML pages here")] = None,
    revision_a: Annotated[
        int | None, typer.Option("--revision-a", min=0, help="of RUN_A (default: its newest)")
    ] = None,
    revision_b: Annotated[
        int | None, typer.Option("--revision-b", min=0, help="of RUN_B (default: its newest)")
    ] = None,
    language: LanguageOption = SOURCE,
    as_json: JsonOption = False,
    stack: StackOption = None,
    profile: ProfileOption = None,
    region: RegionOption = None,
) -> None:
    """Show what changed between two runs or reports.

    Findings, evidence, amounts, controls, versions, cost.
    """
    from porewatch_cli.reports.compare import compare_runs
    from porewatch_cli.reports.reports import given_report

    one = given_report(before, stack, profile, region, revision=revision_a)
    other = given_report(after, stack, profile, region, revision=revision_b)
    compare_runs(one, other, out=out, language=language, as_json=as_json)


@command(
    app,
    "porewatch audit RUN",
    "porewatch audit result/report.json --head head.txt",
)
def audit(
    report: Annotated[str, typer.Argument(metavar="RUN", help="a run, or its report.json")],
    head: Annotated[
        str | None,
        typer.Option("--head", help="a head that you kept: the hash, or a file with it"),
    ] = None,
    revision: RevisionOption = None,
    as_json: JsonOption = False,
    stack: StackOption = None,
    profile: ProfileOption = None,
    region: RegionOption = None,
) -> None:
    """Check a report against its audit trail, and its signatures.

    Exit code 1 if an entry or a signature was changed.

    --head also detects a trail that was rewritten as a whole; for a run, the stack's signed anchor
    does.
    """
    from porewatch.domain.errors import Refused
    from porewatch_cli.reports.audit import anchored, audit_report, audit_signatures
    from porewatch_cli.reports.kept_head import kept_head
    from porewatch_cli.reports.reports import report_as_written
    from porewatch_cli.terminal import EXIT_FAILED

    kept = kept_head(head) if head is not None else None
    anchor = signatures = chosen = None
    if not Path(report).exists():
        from porewatch_cli.reports.signatures_audit import signed
        from porewatch_cli.stack import find_stack

        chosen = find_stack(stack, profile=profile, region=region)
        signatures = signed(report, chosen)
    try:
        found, document = report_as_written(report, stack, profile, region, revision=revision)
    except Refused as refusal:
        if signatures is None or signatures.empty:
            raise
        audit_signatures(report, refusal, signatures, as_json=as_json, kept=kept)
        raise typer.Exit(EXIT_FAILED) from refusal
    if chosen is not None:
        anchor = anchored(found, chosen)
    if not audit_report(
        found, document, as_json=as_json, kept=kept, anchor=anchor, signed=signatures
    ):
        raise typer.Exit(EXIT_FAILED)


@command(app, "porewatch signatures RUN --server https://HOST/v1")
def signatures(run: RunArgument, server: Needed, as_json: JsonOption = False) -> None:
    """Show who signed the reports of a run, when, and with which meaning."""
    from porewatch_cli.remote.server import Server
    from porewatch_cli.remote.sign import show_signatures

    show_signatures(Server(server), run, as_json=as_json)


Meant = Literal["reviewed", "released", "amended"]
"""Of `domain.signatures.signature.Meaning`, which takes a tenth of a second to load."""


@command(
    app,
    "porewatch sign RUN --meaning reviewed --server https://HOST/v1",
    "porewatch sign RUN --meaning released --sample 'pig 1' --server https://HOST/v1",
)
def sign(
    run: RunArgument,
    server: Needed,
    meaning: Annotated[Meant, typer.Option("--meaning", help="what your signature says")],
    sample: Samples = None,
    reason: Annotated[str, typer.Option("--reason", help="a remark")] = "",
    as_json: JsonOption = False,
) -> None:
    """Sign the newest report of a run.

    Prints the address of a page and waits: there you sign in again, which no token does for you.
    """
    from porewatch.domain.signatures.signature import Meaning
    from porewatch_cli.remote.server import Server
    from porewatch_cli.remote.sign import sign_run

    samples = tuple(sample or ())
    sign_run(Server(server), run, Meaning(meaning), samples=samples, reason=reason, as_json=as_json)


@command(app, "porewatch amend RUN --reason 'wrong control' --server https://HOST/v1")
def amend(
    run: RunArgument,
    server: Needed,
    reason: Annotated[str, typer.Option("--reason", help="why", show_default=False)],
    sample: Samples = None,
    as_json: JsonOption = False,
) -> None:
    """Amend a released report: with its newest revision, or by a corrected statement.

    What changed is computed. You sign in again, as for `porewatch sign`.
    """
    from porewatch.domain.signatures.signature import Meaning
    from porewatch_cli.remote.server import Server
    from porewatch_cli.remote.sign import sign_run

    samples = tuple(sample or ())
    sign_run(Server(server), run, Meaning.AMENDED, samples=samples, reason=reason, as_json=as_json)
