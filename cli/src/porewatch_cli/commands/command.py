"""Register a command: examples below its help, and each error as one clear message.

Modules of this folder hold signatures. A command imports what it needs when it runs, so that help
is fast, and a missing package affects only the commands that use it.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import wraps
from typing import TYPE_CHECKING, NoReturn, ParamSpec, TypeVar

import typer

if TYPE_CHECKING:
    from porewatch_cli.silence import Silence

P = ParamSpec("P")
R = TypeVar("R")

EXTRAS = {"boto3": "aws", "botocore": "aws", "porewatch_local": "local", "watchfiles": "watch"}
"""Optional package -> the extra of porewatch-cli that installs it."""


def group(help: str | None = None, cls: type[typer.core.TyperGroup] | None = None) -> typer.Typer:
    """A group of commands; alone, it shows its help."""
    return typer.Typer(help=help, cls=cls, no_args_is_help=True)


def command(
    app: typer.Typer, *examples: str, name: str | None = None
) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Make a function a command of `app`. `examples`: complete command lines."""

    def register(function: Callable[P, R]) -> Callable[P, R]:
        made = report_errors(function)
        app.command(name=name, epilog="\n  ".join(["\b\nExamples:", *examples]))(made)
        return made

    return register


def report_errors(function: Callable[P, R]) -> Callable[P, R]:
    """Turn the errors a command may raise into one clear message and an exit code."""

    @wraps(function)
    def run(*args: P.args, **kwargs: P.kwargs) -> R:
        spinner = _begin_spinner()
        try:
            return function(*args, **kwargs)
        except (typer.Exit, typer.Abort):
            raise
        except Exception as error:
            _explain(error, as_json=bool(kwargs.get("as_json")))
            raise
        except KeyboardInterrupt:
            _print_stopped()
            raise typer.Exit(130) from None
        finally:
            spinner.end()

    return run


def _begin_spinner() -> Silence:
    """Show a spinner while this command prints nothing."""
    from porewatch_cli.terminal import silence

    silence.begin("working")
    return silence


def _print_stopped() -> None:
    from porewatch_cli.terminal import errors

    errors.print("stopped; data that was already sent is kept")


def _explain(error: Exception, *, as_json: bool) -> None:
    """Exit with a message and an exit code, if the user can act on the error."""
    from porewatch.domain.errors import PorewatchError
    from porewatch_cli import terminal

    if isinstance(error, PorewatchError):
        terminal.fail(error, as_json=as_json)
    if isinstance(error, ModuleNotFoundError):
        _explain_missing(error, as_json=as_json)
    aws = sys.modules.get("botocore.exceptions")  # not loaded: not raised by it
    if aws and isinstance(error, (aws.ClientError, aws.BotoCoreError)):
        terminal.fail_by_aws(error, as_json=as_json)
    if isinstance(error, OSError):
        terminal.fail(terminal.os_failure(error), as_json=as_json)


def _explain_missing(error: ModuleNotFoundError, *, as_json: bool) -> NoReturn:
    from porewatch.domain.errors import Unavailable
    from porewatch_cli import terminal

    package = (error.name or "").partition(".")[0]
    if package not in EXTRAS:
        raise error
    missing = Unavailable(
        f"this command needs {package}, which is not installed.",
        remedy=f"pip install 'porewatch-cli[{EXTRAS[package]}]'",
    )
    terminal.fail(missing, as_json=as_json)
