"""Terminal output: one console, one way to print JSON, one way to fail.

Names, reasons and notes are untrusted input. The console prints each text on one line, shows
hidden characters, and interprets no markup: styles are passed separately.

Exit codes are in `exit_codes`.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, NoReturn, TextIO

import typer
from pydantic import BaseModel
from rich.console import Console, ConsoleOptions, RenderableType
from rich.segment import Segment
from rich.table import Table
from rich.text import Text

from porewatch.domain.errors import InputRefused, PorewatchError, Refused, Unavailable
from porewatch.domain.records.refusal import refusals_of
from porewatch.domain.visible import visible
from porewatch_cli import exit_codes
from porewatch_cli.responsive_table import ResponsiveTable
from porewatch_cli.silence import Silence

if TYPE_CHECKING:
    from rich.live import Live

WIDE = 150  # columns of a pipe or a log, which has no width of its own
NARROWEST = 20


class PlainConsole(Console):
    """A console without markup. Its output interrupts the `silence` spinner."""

    silence: Silence | None = None

    def __init__(self, *, stderr: bool = False, width: int | None = None) -> None:
        super().__init__(stderr=stderr, width=width, markup=False, emoji=False, highlight=False)

    def print(self, *objects: Any, **how: Any) -> None:
        if self.silence:
            self.silence.broken()
        super().print(*objects, **how)

    def set_live(self, live: Live) -> bool:
        if self.silence:
            self.silence.pause()
        return super().set_live(live)

    def clear_live(self) -> None:
        super().clear_live()
        if self.silence:
            self.silence.resume()

    def render_str(self, text: str, **how: Any) -> Text:
        """As in rich, with hidden characters made visible."""
        return super().render_str(visible(text), **how)

    def render(
        self, renderable: RenderableType, options: ConsoleOptions | None = None
    ) -> Iterable[Segment]:
        """Also makes visible what did not pass `render_str`, such as texts in tables."""
        if isinstance(renderable, Text):
            renderable = _visible(renderable)
        return super().render(renderable, options)


def _visible(text: Text) -> Text:
    shown = visible(text.plain)
    if shown == text.plain:
        return text
    changed = text.copy()
    changed.plain = shown
    return changed


class PlainTable(ResponsiveTable):
    """A table that makes hidden characters visible before it measures columns."""

    def add_row(self, *cells: RenderableType | None, **how: Any) -> None:
        shown = (_visible(cell) if isinstance(cell, Text) else cell for cell in cells)
        super().add_row(*shown, **how)


def width_of(stream: TextIO) -> int | None:
    """Width of output to `stream`; None: that of the terminal. Elsewhere `COLUMNS`, or `WIDE`
    without it."""
    if stream.isatty():
        return None
    columns = os.environ.get("COLUMNS", "")
    return max(int(columns), NARROWEST) if columns.isdecimal() else WIDE


console = PlainConsole(width=width_of(sys.stdout))
errors = PlainConsole(stderr=True, width=width_of(sys.stderr))
silence = PlainConsole.silence = Silence(errors)

EXIT_FAILED = exit_codes.COMMAND_FAILED
EXIT_REFUSED = exit_codes.REFUSED


def write(text: str) -> None:
    """Print text unchanged on standard output."""
    silence.broken()
    sys.stdout.write(text)


def print_json(value: Any) -> None:
    """Print one JSON document on standard output, for scripts."""
    write(json.dumps(_plain(value), indent=2, sort_keys=True) + "\n")


def print_line(kind: str, value: Any) -> None:
    """Print one line of JSON on standard output: a stream of documents, each with its `kind`."""
    line = {"kind": kind, **_plain(value)}
    write(json.dumps(line, sort_keys=True) + "\n")
    sys.stdout.flush()


def _plain(value: Any) -> Any:
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json")
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return value


def table(title: str, *columns: str, numeric: tuple[str, ...] = ()) -> Table:
    """An empty table in the house style; columns named in `numeric` are right-aligned."""
    made = PlainTable(
        title=title, title_justify="left", header_style="bold", box=None, pad_edge=False
    )
    for column in columns:
        made.add_column(column, justify="right" if column in numeric else "left")
    return made


def fail(error: PorewatchError, *, as_json: bool = False) -> NoReturn:
    """Print the problem and the remedy, then exit with the exit code of the error's kind."""
    if as_json:
        several = getattr(error, "faults", ())
        fields = _error_fields(error) | (
            {"values": {}, "faults": [_error_fields(f) for f in several]} if several else {}
        )  # of several, each has the values of its own code
        write(json.dumps(fields, sort_keys=True) + "\n")  # a line, as a stream needs it
    else:
        where = f"{error.file}: " if error.file else ""
        place = [
            f"{what} {number}"
            for what, number in (("record", error.record), ("line", error.line))
            if number is not None
        ]
        where += f"{', '.join(place)}: " if place else ""
        kind = (type(error).__name__, "bold red")
        errors.print(Text.assemble(kind, f" {where}{error.problem}"))
        if error.remedy:
            errors.print(Text.assemble(("  what to do:", "bold"), f" {error.remedy}"))
    raise typer.Exit(EXIT_REFUSED if isinstance(error, Refused) else EXIT_FAILED)


def _error_fields(error: PorewatchError) -> dict[str, Any]:
    return {
        "error": type(error).__name__,
        "code": error.code,
        "values": refusals_of(error)[0].model_dump(mode="json")["values"],
        "problem": error.problem,
        "file": error.file,
        "record": error.record,
        "line": error.line,
        "column": error.column,
        "remedy": error.remedy,
    }


def os_failure(error: OSError) -> PorewatchError:
    """A file that cannot be read or written, as an error of ours."""
    wrong_path = (FileNotFoundError, IsADirectoryError, NotADirectoryError, PermissionError)
    kind = InputRefused if isinstance(error, wrong_path) else Unavailable
    return kind(
        f"{error.strerror or error}.",
        file=str(error.filename) if error.filename else None,
        remedy="check the path, its permissions, and the free space on its disk.",
    )


def fail_by_aws(error: Exception, *, as_json: bool = False) -> NoReturn:
    """Print an error of AWS, with its message."""
    if as_json:
        fail(Unavailable(f"AWS refused: {error}"), as_json=True)
    errors.print(Text.assemble(("AWS refused:", "bold red"), f" {error}"))
    raise typer.Exit(EXIT_FAILED) from error
