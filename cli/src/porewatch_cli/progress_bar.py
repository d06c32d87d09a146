"""A progress bar for transfers and checks."""

from __future__ import annotations

from collections.abc import Callable

from rich.progress import (
    BarColumn,
    DownloadColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeRemainingColumn,
    TransferSpeedColumn,
)

from porewatch_cli.terminal import errors


class progress_bar:  # noqa: N801 - used like the function it stands for
    """A progress bar on standard error; nothing when quiet or not a terminal. After a failure it
    is removed, so that the error message stands alone."""

    def __init__(self, what: str, total: int, quiet: bool, *, unit: str = "bytes") -> None:
        size = DownloadColumn() if unit == "bytes" else MofNCompleteColumn()
        self._progress = Progress(
            TextColumn("{task.description:>10}", markup=False),
            BarColumn(),
            size,
            TransferSpeedColumn(),
            TimeRemainingColumn(),
            console=errors,
            disable=quiet,
            transient=False,
        )
        self._task = self._progress.add_task(what, total=total)

    def __enter__(self) -> Callable[[int], None]:
        self._progress.start()
        return lambda n: self._progress.advance(self._task, n)

    def __exit__(self, failed: type[BaseException] | None, *_more: object) -> None:
        self._progress.live.transient = failed is not None
        self._progress.stop()
