"""Commands about signatures: show them, sign, amend. A person signs: by a server, with a token of
his own, and by signing in again in a browser."""

from __future__ import annotations

from typing import Annotated

import typer

from porewatch.domain.signatures.signature import Meaning
from porewatch_cli.commands.command import command
from porewatch_cli.options import JsonOption, RunArgument

app = typer.Typer()

Needed = Annotated[
    str, typer.Option("--server", help="a server's API, asked with your token", show_default=False)
]
Samples = Annotated[
    list[str] | None,
    typer.Option("--sample", help="sign this sample alone; may be repeated (default: all)"),
]


@command(app, "porewatch signatures RUN --server https://HOST/v1")
def signatures(run: RunArgument, server: Needed, as_json: JsonOption = False) -> None:
    """Show who signed the reports of a run, when, and with which meaning."""
    from porewatch_cli.remote.server import Server
    from porewatch_cli.remote.sign import show_signatures

    show_signatures(Server(server), run, as_json=as_json)


@command(
    app,
    "porewatch sign RUN --meaning reviewed --server https://HOST/v1",
    "porewatch sign RUN --meaning released --sample 'pig 1' --server https://HOST/v1",
)
def sign(
    run: RunArgument,
    server: Needed,
    meaning: Annotated[Meaning, typer.Option("--meaning", help="what your signature says")],
    sample: Samples = None,
    reason: Annotated[str, typer.Option("--reason", help="a remark")] = "",
    as_json: JsonOption = False,
) -> None:
    """Sign the newest report of a run.

    Prints the address of a page and waits: there you sign in again, which no token does for you.
    """
    from porewatch_cli.remote.server import Server
    from porewatch_cli.remote.sign import sign_run

    samples = tuple(sample or ())
    sign_run(Server(server), run, meaning, samples=samples, reason=reason, as_json=as_json)


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
    from porewatch_cli.remote.server import Server
    from porewatch_cli.remote.sign import sign_run

    samples = tuple(sample or ())
    sign_run(Server(server), run, Meaning.AMENDED, samples=samples, reason=reason, as_json=as_json)
