"""Tables that fit the terminal: columns if there is room, else a paragraph for each row.

No text is cut by an ellipsis, and no word that fits into a line is broken: in a narrow terminal a
row becomes its first cell, then `head: value` for each other cell.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from rich.cells import cell_len
from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
from rich.measure import Measurement
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

COMFORTABLE = 18
"""Minimum width of a text column, unless its text is shorter."""
GAP = 2
"""Blanks between two columns of a table."""
BETWEEN = "   "
"""Between two items of a row that is shown as a paragraph."""
INDENT = 2
NOTHING = ("", "–")
"""Cells that a paragraph leaves out."""


def stacked(lines: Iterable[str], style: str = "") -> Group:
    """Several lines, in one cell or below each other."""
    return Group(*(Text(line, style=style) for line in lines))


class ResponsiveTable(Table):
    """A table that becomes paragraphs when its columns do not fit."""

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        needs = [self._needs(console, options, i) for i in range(len(self.columns))]
        room = options.max_width - GAP * (len(needs) - 1)
        if self.rows and sum(least for least, _ in needs) > room:
            yield from self._paragraphs(console)
            return
        for column, width in zip(self.columns, shared_out(needs, room), strict=True):
            column.width, column.overflow = width, "fold"
        yield from super().__rich_console__(console, options)

    def _needs(self, console: Console, options: ConsoleOptions, at: int) -> tuple[int, int]:
        """Minimum and maximum useful width of a column."""
        column = self.columns[at]
        cells = [_measured(console, options, cell) for cell in (column.header, *column.cells)]
        return max(least for least, _ in cells), max(most for _, most in cells)

    def _paragraphs(self, console: Console) -> Iterator[RenderableType]:
        if self.title:
            yield _text(console, self.title, "table.title")
        heads = [_text(console, column.header, "dim") for column in self.columns]
        rows = zip(*(column.cells for column in self.columns), strict=True)
        for row, cells in zip(self.rows, rows, strict=True):
            yield from _paragraph(console, heads, cells, str(row.style or ""))


def shared_out(needs: Sequence[tuple[int, int]], room: int) -> list[int]:
    """Widths of columns: the minimum of each, and the rest to the narrowest that can use it.

    >>> shared_out([(4, 4), (5, 20), (5, 9)], 22)
    [4, 9, 9]
    """
    widths = [least for least, _ in needs]
    for _ in range(max(0, room - sum(widths))):
        wanting = [i for i, (_, most) in enumerate(needs) if widths[i] < most]
        if not wanting:
            break
        widths[min(wanting, key=widths.__getitem__)] += 1
    return widths


def _measured(console: Console, options: ConsoleOptions, cell: RenderableType) -> tuple[int, int]:
    text = _if_text(console, cell)
    if text is None:
        measured = Measurement.get(console, options, cell)
        return measured.minimum, measured.maximum
    most = text.cell_len
    longest = max((_unbroken(part) for part in text.plain.split()), default=0)
    return min(most, max(longest, COMFORTABLE)), most


def _unbroken(part: str) -> int:
    """Width of an unbreakable part. Japanese has no blanks, and breaks anywhere."""
    return cell_len(part) if part.isascii() else min(cell_len(part), COMFORTABLE)


def _paragraph(
    console: Console, heads: Sequence[Text], cells: Sequence[RenderableType], style: str
) -> Iterator[RenderableType]:
    """The first cell, then the others with their heads."""
    items: list[Text] = []
    apart: list[tuple[Text, RenderableType]] = []
    title = Text("")
    for at, (head, cell) in enumerate(zip(heads, cells, strict=True)):
        text = _if_text(console, cell)
        if text is None:
            apart.append((head, cell))
        elif at == 0:
            title = _bold(text)
        elif text.plain.strip() not in NOTHING:
            items.append(Text.assemble(head, (": ", "dim"), text) if head.plain else text)
    if title.plain.strip():
        title.stylize(style)
        yield title
    if items:
        yield _Flowing(items, style)
    for head, cell in apart:
        row = Table.grid(padding=(0, 1))
        row.add_row(Text.assemble(head, (":", "dim")), cell)
        yield Padding(row, (0, 0, 0, INDENT))


class _Flowing:
    """Items on one line, as many as fit; a long item wraps."""

    def __init__(self, items: Sequence[Text], style: str) -> None:
        self._items, self._style = items, style

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        room = options.max_width - INDENT
        line = Text(style=self._style)
        for item in self._items:
            if line.plain and line.cell_len + len(BETWEEN) + item.cell_len > room:
                yield Padding(line, (0, 0, 0, INDENT), expand=False)
                line = Text(style=self._style)
            line = Text.assemble(line, BETWEEN if line.plain else "", item)
        yield Padding(line, (0, 0, 0, INDENT), expand=False)


def _if_text(console: Console, cell: RenderableType) -> Text | None:
    """A cell as text; None for another renderable."""
    if isinstance(cell, str):
        return console.render_str(cell)
    return cell if isinstance(cell, Text) else None


def _text(console: Console, cell: RenderableType, style: str) -> Text:
    text = _if_text(console, cell) or Text("")
    shown = text.copy()
    shown.stylize(style)
    return shown


def _bold(text: Text) -> Text:
    shown = text.copy()
    shown.stylize("bold")
    return shown
