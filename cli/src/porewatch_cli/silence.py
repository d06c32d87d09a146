"""A spinner on standard error when a command has printed nothing for two seconds.

Only on a terminal. Any output removes it first; it pauses while the command shows a progress bar or
a live view of its own.
"""

from __future__ import annotations

import threading

from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

SECONDS = 2.0


class Silence:
    """The spinner of one command. Only the main thread prints; progress bars draw in others."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._lock = threading.RLock()
        self._timer: threading.Timer | None = None
        self._shown: Progress | None = None
        self._what = ""
        self._busy = False
        self._own = False

    def begin(self, what: str) -> None:
        """Start, on a terminal; `what` is the text of the spinner."""
        with self._lock:
            if self._console.is_terminal:
                self._what = what
                self._wait()

    def end(self) -> None:
        """Stop: the command is over, or waits for input."""
        with self._lock:
            self._stop()
            self._what = ""

    def broken(self) -> None:
        """Output follows: remove the spinner and restart the two seconds."""
        if self._of_the_command():
            with self._lock:
                self._stop()
                self._wait()

    def pause(self) -> None:
        """The command shows a progress bar or a live view."""
        if self._of_the_command():
            with self._lock:
                self._own = True
                self._stop()

    def resume(self) -> None:
        """The progress bar or live view has ended."""
        if self._of_the_command():
            with self._lock:
                self._own = False
                self._wait()

    def _of_the_command(self) -> bool:
        """Whether the output comes from the command, not from the spinner itself."""
        mine = threading.current_thread() is threading.main_thread()
        return mine and bool(self._what) and not self._busy

    def _wait(self) -> None:
        if self._what and not self._own:
            self._timer = threading.Timer(SECONDS, self._show)
            self._timer.daemon = True
            self._timer.start()

    def _stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        shown, self._shown = self._shown, None
        if shown is not None:
            self._busy = True
            shown.stop()
            self._busy = False

    def _show(self) -> None:
        with self._lock:
            if self._timer is not threading.current_thread():
                return  # cancelled in the meantime
            self._shown = Progress(
                SpinnerColumn(),
                TextColumn("{task.description}", markup=False),
                TimeElapsedColumn(),
                console=self._console,
                transient=True,
                redirect_stdout=False,  # or JSON would go to standard error
                redirect_stderr=False,
            )
            self._shown.add_task(self._what, total=None)
            self._shown.start()
