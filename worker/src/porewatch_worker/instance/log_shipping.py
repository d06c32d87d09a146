"""The worker's log: on the console, in a file, and in the results bucket while it grows."""

from __future__ import annotations

import logging
from contextlib import AbstractContextManager, ExitStack
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING

from porewatch.domain.errors import PorewatchError
from porewatch_worker.stage.periodic import repeating

if TYPE_CHECKING:
    from porewatch.adapters.objects import Objects

FORMAT = "%(asctime)s %(levelname)s %(name)s: %(message)s"
log = logging.getLogger(__name__)


class ShippedLog(AbstractContextManager["ShippedLog"]):
    """Logs to `file` and uploads it to `key` every `every_s` seconds and at the end."""

    def __init__(self, file: Path, results: Objects, key: str, every_s: float) -> None:
        self._file, self._results, self._key, self._every_s = file, results, key, every_s
        self._shipped = 0
        self._stack = ExitStack()
        self._handler = logging.FileHandler(file)
        self._handler.setFormatter(logging.Formatter(FORMAT))

    def __enter__(self) -> ShippedLog:
        logging.getLogger("porewatch_worker").setLevel(logging.INFO)
        logging.getLogger().addHandler(self._handler)
        self._stack.enter_context(repeating(self._every_s, "log", self._ship))
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if error is not None:
            log.error("ended by %r", error)
        self._stack.close()
        self._ship()
        logging.getLogger().removeHandler(self._handler)
        self._handler.close()

    def _ship(self) -> None:
        self._handler.flush()
        content = self._file.read_bytes()
        if len(content) == self._shipped:
            return
        try:
            self._results.put(self._key, content, "text/plain; charset=utf-8")
        except PorewatchError as e:
            log.warning("the log was not uploaded: %s", e)
            return
        self._shipped = len(content)
