"""Virtual time. Every thread of every process is a greenlet; one runs at a time, and whoever waits
for time or for an answer of AWS lets the others go on. The same seed gives the same order.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import count
from random import Random
from typing import Any

from greenlet import getcurrent, greenlet

START = datetime(2026, 3, 1, 12, tzinfo=UTC)


class Killed(BaseException):
    """The process is gone. Nobody can catch it and live: every later call raises it again."""


class Process:
    """A Lambda invocation, the worker on a machine, or the cloud itself."""

    def __init__(self, kind: str, name: str) -> None:
        self.kind, self.name = kind, name
        self.alive = True
        self.calls = 0
        self.frozen_until = 0.0
        self.longest_freeze = 0.0
        self.ahead_s = 0.0
        """How much later it is by its own clock."""
        self.threads: list[Thread] = []
        self.environment: dict[Any, Any] = {}
        """What its modules keep for the next invocation."""

    def __repr__(self) -> str:
        return self.name


class Thread(greenlet):
    """One thread of a process. `ticket` changes whenever it goes on: old alarms are void then."""

    def __init__(self, process: Process, body: Callable[[], object], hub: greenlet) -> None:
        super().__init__(self._main, hub)
        self.process, self.body = process, body
        self.ticket = 0
        self.over = False
        self.waiters: list[Thread] = []

    def _main(self, *_: object) -> None:
        try:
            self.body()
        except Killed:
            pass
        finally:
            self.over = True


class Deadlock(AssertionError):
    """More happened than any sound run needs."""


class Scheduler:
    """`now` in seconds since START."""

    def __init__(self, seed: int) -> None:
        self.rng = Random(seed)
        self.now = 0.0
        self.steps = 0
        self._hub = getcurrent()
        self._numbers = count()
        self._events: list[tuple[float, int, Callable[[], object]]] = []

    def clock(self) -> datetime:
        return START + timedelta(seconds=self.now)

    def after(self, seconds: float, do: Callable[[], object]) -> None:
        """Do it later; `do` must not wait for anything itself."""
        heapq.heappush(self._events, (self.now + seconds, next(self._numbers), do))

    def run(self, until: Callable[[], bool], limit_s: float, steps: int = 400_000) -> bool:
        """Let time pass until `until` is true, nothing is left or `limit_s` is reached."""
        self._hub = getcurrent()
        while self._events:
            if until():
                return True
            moment, _, do = heapq.heappop(self._events)
            if moment > limit_s:
                self.after(moment - self.now, do)
                self.now = limit_s
                return False
            self.now = max(self.now, moment)
            self.steps += 1
            if self.steps > steps:
                raise Deadlock(f"{steps} steps by {self.clock()}")
            do()
        return until()

    def start(self, process: Process, body: Callable[[], object], delay: float = 0.0) -> Thread:
        """A new thread of `process`."""
        thread = Thread(process, body, self._hub)
        process.threads.append(thread)
        self.after(delay, lambda: self._resume(thread, 0))
        return thread

    def sleep(self, seconds: float) -> None:
        """The thread that calls waits; nothing but its death ends it early."""
        end = self.now + seconds
        while self.now < end:
            self.pause(end - self.now)

    def pause(self, seconds: float | None) -> bool:
        """Wait until somebody wakes the calling thread (True), at most so long (False)."""
        me = getcurrent()
        assert isinstance(me, Thread), "only threads of the simulated world may wait"
        if not me.process.alive:
            raise Killed
        me.ticket += 1
        if seconds is not None:
            ticket = me.ticket
            self.after(max(0.0, seconds), lambda: self._resume(me, ticket))
        woken = self._hub.switch()
        if not me.process.alive:
            raise Killed
        return bool(woken)

    def wake(self, thread: Thread) -> None:
        ticket = thread.ticket
        self.after(0.0, lambda: self._resume(thread, ticket, woken=True))

    def freeze(self, process: Process, seconds: float) -> None:
        """Nothing of it moves for so long; then it goes on as if nothing had been."""
        process.frozen_until = self.now + seconds
        process.longest_freeze = max(process.longest_freeze, seconds)

    def kill(self, process: Process) -> None:
        """The process dies where it stands; when it kills itself, at its next statement."""
        process.alive = False
        for thread in process.threads:
            if thread is not getcurrent() and not thread.over:
                self.after(0.0, lambda thread=thread: self._bury(thread))

    def _bury(self, thread: Thread) -> None:
        if thread.over or thread.dead:
            return
        thread.ticket += 1
        if not thread:  # never began
            thread.over = True
            return
        thread.throw(Killed)
        self._signal(thread)

    def _resume(self, thread: Thread, ticket: int, *, woken: bool = False) -> None:
        if thread.over or thread.ticket != ticket:
            return
        if not thread.process.alive and not thread:
            thread.over = True
            return
        if thread.process.frozen_until > self.now:
            wait = thread.process.frozen_until - self.now
            self.after(wait, lambda: self._resume(thread, ticket, woken=woken))
            return
        thread.ticket += 1
        thread.switch(woken)
        self._signal(thread)

    def _signal(self, thread: Thread) -> None:
        if thread.over:
            for waiter in thread.waiters:
                self.wake(waiter)
            thread.waiters.clear()

    def join(self, thread: Thread, seconds: float | None) -> bool:
        """Wait for a thread's end; False when it lasted longer."""
        if not thread.over and (seconds is None or seconds > 0):
            thread.waiters.append(getcurrent())
            self.pause(seconds)
            if getcurrent() in thread.waiters:
                thread.waiters.remove(getcurrent())
        return thread.over


def process() -> Process | None:
    """Whose thread runs now; None outside of the simulated world."""
    me: Any = getcurrent()
    return me.process if isinstance(me, Thread) else None
