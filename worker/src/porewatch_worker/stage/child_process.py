"""Run one trusted computation in a child process, so that its crash does not kill the worker.

Used only for units that are suspected of killing workers. The child is forked: it shares the loaded
indexes with its parent until one of the two writes. It dies with its parent. Untrusted input is not
parsed here but in `porewatch.reads.sandbox.parent`, whose children are limited and whose output is
checked: the answer of this child is unpickled without checks.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import pickle
import signal
import warnings
from collections.abc import Callable
from typing import Any, NoReturn, TypeVar

from porewatch.domain.errors import WorkerFailed
from porewatch.domain.reasons.reason import Code, because

T = TypeVar("T")
_DIE_WITH_PARENT = 1  # PR_SET_PDEATHSIG of prctl(2)


class ChildKilled(WorkerFailed):
    """The child was killed by `signal`."""

    def __init__(self, signal: str) -> None:
        self.signal = signal
        super().__init__(because(Code.UNIT_KILLED, signal=signal).text())


def in_child(call: Callable[[], T]) -> T:
    """What `call` returns or raises. WorkerFailed when the child dies."""
    reading, writing = os.pipe()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # other threads hold no locks of ours
        child = os.fork()
    if child == 0:
        os.close(reading)
        _answer(call, writing)
    os.close(writing)
    with os.fdopen(reading, "rb") as answer:
        payload = answer.read()
    _, status = os.waitpid(child, 0)
    result: T = _unpacked(payload, os.waitstatus_to_exitcode(status))
    return result


def _unpacked(payload: bytes, code: int) -> Any:
    if code < 0:
        raise ChildKilled(signal.Signals(-code).name)
    if code or not payload:
        raise WorkerFailed(f"exited with code {code} without an answer")
    worked, answer = pickle.loads(payload)  # noqa: S301 - our own child wrote it
    if worked:
        return answer
    raise answer


def _answer(call: Callable[[], object], writing: int) -> NoReturn:
    """In the child: compute, answer, and go without any of the parent's tidying up."""
    with contextlib.suppress(BaseException):
        system = ctypes.CDLL(None)
        if hasattr(system, "prctl"):  # Linux alone has it
            system.prctl(_DIE_WITH_PARENT, signal.SIGKILL)
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, signal.SIG_IGN)  # the parent decides what a signal means
        with os.fdopen(writing, "wb") as out:
            out.write(_result(call))
        os._exit(0)
    os._exit(1)


def _result(call: Callable[[], object]) -> bytes:
    try:
        return pickle.dumps((True, call()))
    except Exception as e:
        try:
            payload = pickle.dumps((False, e))
            pickle.loads(payload)  # noqa: S301 - some errors can be packed and not unpacked
        except Exception:
            payload = pickle.dumps((False, WorkerFailed(f"{type(e).__name__}: {e}")))
        return payload
