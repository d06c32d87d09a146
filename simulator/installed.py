"""Puts a world under the product: its clients, its clock, its waiting, its threads.

Everything is taken away again at the end. Only threads of a simulated process notice any of it.
"""

from __future__ import annotations

import importlib
import logging
import pkgutil
import random
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from datetime import datetime, timedelta
from typing import Any
from unittest.mock import patch

import porewatch_worker
from porewatch.adapters import clients
from porewatch.adapters.s3 import versions
from porewatch.domain import base
from porewatch.settings import settings
from porewatch_worker.checkpoint import checkpoint
from porewatch_worker.instance import attempt
from porewatch_worker.stage import periodic
from porewatch_worker.stage.child_process import in_child
from porewatch_worker.stage.prefetch import (
    Background,
    Prefetcher,
)
from simulator.scheduler import Scheduler, Thread, getcurrent

SETTINGS = {
    "AWS_DEFAULT_REGION": "eu-central-1",
    "AWS_REGION": "eu-central-1",
    "POWERTOOLS_TRACE_DISABLED": "true",
    "STACK_NAME": "porewatch",
    "LEDGER_TABLE": "ledger",
    "PEOPLE_TABLE": "people",
    "RAW_BUCKET": "raw",
    "RESULTS_BUCKET": "results",
    "REPORTS_BUCKET": "reports",
    "REFERENCES_BUCKET": "references",
    "BUS_NAME": "porewatch",
    "QUEUE_URL": "files",
    "WORKER_QUEUE_URL": "worker",
    "WORKER_DEAD_LETTERS_URL": "worker-dead",
    "MESSAGE_KEY_ARN": "message-key",
    "AUDIT_KEY_ARN": "audit-key",
    "WORKER_ROLE_ID": "AROAWORKER",
    "NOTICE_TOPIC_ARN": "notices",
    "ALERT_TOPIC_ARN": "alerts",
    "ESCALATION_TOPIC_ARN": "escalations",
    "STATE_MACHINE_ARN": "arn:aws:states:eu-central-1:1:stateMachine:screen-run",
    "LAUNCH_TEMPLATE_ID": "lt-1",
    "SUBNET_IDS": "subnet-a,subnet-b,subnet-c",
    "DEFAULT_BUNDLE": "demo@1",
    "BASECALLING": "disabled",
    "DB_CLUSTER_ARN": "arn:aws:rds:eu-central-1:1:cluster:registry",
    "DB_SECRET_ARN": "arn:aws:secretsmanager:eu-central-1:1:secret:registry",
    "DB_NAME": "porewatch",
    "RUN_BUDGET_USD": "25",
    "ACCOUNT_BUDGET_USD": "1000",
    "SPOT_QUEUE": "spot-queue",
    "ON_DEMAND_QUEUE": "on-demand-queue",
    "JOB_DEFINITION": "porewatch:1",
}
_sleep, _monotonic = time.sleep, time.monotonic


class NoLog(nullcontext[None]):
    """The worker's log is neither written nor shipped: it decides nothing."""

    def __init__(self, *_: object) -> None:
        super().__init__()


class InLine:
    """A pool of threads that needs none, so that the order is always the same."""

    def __init__(self, *_: object, **__: object) -> None: ...

    def __enter__(self) -> InLine:
        return self

    def __exit__(self, *_: object) -> None: ...

    def map(self, call: Callable[[Any], Any], items: Any) -> Any:
        return map(call, items)


@contextmanager
def installed(scheduler: Scheduler, client: Callable[[str], Any], **more: str) -> Iterator[None]:
    """The product below runs in the world of `scheduler`; `client(service)` are its clients."""
    with (
        patch.dict("os.environ", {**SETTINGS, **more}),
        patch.object(clients, "client", client),
        patch.object(base, "clock", _clock(scheduler)),
        patch("time.sleep", _sleeper(scheduler)),
        patch("time.monotonic", _ticker(scheduler)),
        patch.object(attempt, "ShippedLog", NoLog),
        patch.object(checkpoint, "ThreadPoolExecutor", InLine),
        patch.object(versions, "ThreadPoolExecutor", InLine),
        _threads(scheduler),
    ):
        settings.cache_clear()
        before, dice = logging.root.manager.disable, random.getstate()
        logging.disable(logging.CRITICAL)
        random.seed(scheduler.rng.random())
        try:
            yield
        finally:
            random.setstate(dice)
            logging.disable(before)
            settings.cache_clear()


def _sleeper(scheduler: Scheduler) -> Callable[[float], None]:
    def sleep(seconds: float) -> None:
        if isinstance(getcurrent(), Thread):
            scheduler.sleep(seconds)
        else:
            _sleep(seconds)

    return sleep


def _clock(scheduler: Scheduler) -> Callable[[], datetime]:
    """The clock of the calling process."""

    def clock() -> datetime:
        me = getcurrent()
        ahead_s = me.process.ahead_s if isinstance(me, Thread) else 0.0
        return scheduler.clock() + timedelta(seconds=ahead_s)

    return clock


def _ticker(scheduler: Scheduler) -> Callable[[], float]:
    return lambda: scheduler.now if isinstance(getcurrent(), Thread) else _monotonic()


@contextmanager
def _threads(scheduler: Scheduler) -> Iterator[None]:
    """The worker's threads become threads of its simulated process, wherever they are used."""
    stand_ins: dict[int, Any] = {
        id(periodic.repeating): _repeating(scheduler),
        id(Background): _background(scheduler),
        id(Prefetcher): NotAhead,
        id(in_child): lambda call: call(),
    }
    taken: list[tuple[Any, str, Any]] = []
    for found in pkgutil.walk_packages(porewatch_worker.__path__, "porewatch_worker."):
        module = importlib.import_module(found.name)
        for name, value in list(vars(module).items()):
            if id(value) in stand_ins:
                taken.append((module, name, value))
                setattr(module, name, stand_ins[id(value)])
    try:
        yield
    finally:
        for module, name, value in taken:
            setattr(module, name, value)


def _mine() -> Thread:
    me = getcurrent()
    assert isinstance(me, Thread)
    return me


def _repeating(scheduler: Scheduler) -> Any:
    @contextmanager
    def repeating(every_s: float, what: str, act: Callable[[], None]) -> Iterator[None]:
        over: list[bool] = []

        def repeat() -> None:
            while not over:
                try:
                    act()
                except Exception:
                    logging.exception("%s failed", what)
                if not over:
                    scheduler.pause(every_s)

        thread = scheduler.start(_mine().process, repeat)
        try:
            yield
        finally:
            over.append(True)
            scheduler.wake(thread)

    return repeating


def _background(scheduler: Scheduler) -> Any:
    class InBackground:
        """One call in a thread of its own; `wait` looks when there is something to see."""

        def __init__(self, call: Callable[[], Any]) -> None:
            self._call = call
            self._answer: list[Any] = []
            self._error: Exception | None = None
            self._thread = scheduler.start(_mine().process, self._run)

        def _run(self) -> None:
            try:
                self._answer.append(self._call())
            except Exception as error:
                self._error = error

        def wait(self, seconds: float) -> bool:
            stop = _mine().process.stop  # type: ignore[attr-defined]
            if stop.requested:
                return scheduler.join(self._thread, max(seconds, 2.0))
            stop.waiting.append(_mine())
            try:
                return scheduler.join(self._thread, None)
            finally:
                stop.waiting.remove(_mine())

        def result(self) -> Any:
            scheduler.join(self._thread, None)
            if self._error is not None:
                raise self._error
            return self._answer[0]

    return InBackground


class NotAhead:
    """Reads an item when it is taken: reading takes no virtual time."""

    def __init__(self, items: Iterator[Any]) -> None:
        self._items = items

    def next(self, seconds: float) -> Any:
        return next(self._items)

    def close(self) -> None: ...
