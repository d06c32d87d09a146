"""The functions: their doors as Lambda opens them, and what comes again when one fails.

Called by the state machine (one answer), by a queue (batches, visibility, dead letters), by the
ledger's stream (in order, until it works), or by an event (two retries, then a dead letter).
"""

from __future__ import annotations

import inspect
import json
import traceback
from collections import defaultdict
from collections.abc import Callable
from functools import cache, wraps
from itertools import count
from typing import Any

from porewatch.domain.errors import PorewatchError
from simulator import deployed
from simulator.asl import Reply
from simulator.handlers import door
from simulator.scheduler import Killed, Process, Scheduler
from simulator.scheduler import process as running
from simulator.sqs import Message, Sqs
from simulator.weather import Weather

QUEUES = deployed.readers()
AGAIN_S = (60.0, 120.0)
DIED = ("Lambda.Unknown", "Runtime.ExitError", "Sandbox.Timedout")
TOO_MANY = "Lambda.TooManyRequestsException"
LIMIT = "the account's concurrency"
"""The cause of a refusal by the limit."""
Done = Callable[[Reply], None]

KEPT = {"status_updater": "registry"}
"""What the module of a function keeps from one invocation to the next."""


@cache
def loaded(function: str) -> Any:
    """`lambda_handler` of a function, loaded once; what it keeps is kept by environment."""
    handler = door(function)
    if function in KEPT:
        names = inspect.unwrap(handler).__globals__
        names[KEPT[function]] = _by_environment(inspect.unwrap(names[KEPT[function]]))
    return handler


def _by_environment(makes: Callable[[], Any]) -> Callable[[], Any]:
    """An execution environment serves one invocation at a time: two of them share nothing."""

    @wraps(makes)
    def kept() -> Any:
        caller = running()
        assert caller is not None
        if makes not in caller.environment:
            caller.environment[makes] = makes()
        return caller.environment[makes]

    return kept


class Context:
    def __init__(self, function: str, request: str) -> None:
        self.function_name, self.aws_request_id = function, request
        self.memory_limit_in_mb, self.invoked_function_arn = 512, f"arn:aws:lambda:::{function}"


class Lambdas:
    """Every function of the stack."""

    def __init__(
        self, scheduler: Scheduler, sqs: Sqs, weather: Weather, log: Callable[[str], None]
    ) -> None:
        self._scheduler, self._sqs, self.weather, self._log = scheduler, sqs, weather, log
        self._numbers = count(1)
        self._stream: list[dict[str, Any]] = []
        self._publishing = False
        self.failed_events: list[tuple[str, dict[str, Any]]] = []
        """Events whose function failed three times: the monitor's dead letters."""
        self.invocations: dict[str, int] = {}
        self.running = 0
        self.throttled: dict[str, int] = {}
        """Invocations that the account's concurrency had no room for."""
        self._free: defaultdict[str, list[dict[Any, Any]]] = defaultdict(list)
        """Environments that wait for their function's next invocation."""

    def invoke(self, function: str, event: dict[str, Any], done: Done) -> None:
        """One invocation; `done` gets its outcome, unless it dies with its caller."""
        refusal = self._refusal(function)
        if refusal:
            self._scheduler.after(0.1, lambda: done(Reply(error=TOO_MANY, cause=refusal)))
            return
        name = f"{function}#{next(self._numbers)}"
        self.invocations[function] = self.invocations.get(function, 0) + 1
        process, free = Process(function, name), self._free[function]
        process.environment = free.pop() if free else {}
        self.running += 1
        replied: list[bool] = []

        def reply(outcome: Reply) -> None:
            if not replied:
                replied.append(True)
                self.running -= 1
                done(outcome)

        def body() -> None:
            try:
                answer = loaded(function)(event, Context(function, name))
            except Killed:
                died = self._scheduler.rng.choice(DIED)
                self._scheduler.after(0.01, lambda: reply(Reply(error=died, cause="exited")))
                raise
            except Exception as error:
                if not isinstance(error, PorewatchError):
                    self._log(f"{name} BUG {''.join(traceback.format_exception(error)[-3:])}")
                details = {"errorType": type(error).__name__, "errorMessage": str(error)}
                free.append(process.environment)
                reply(Reply(error=type(error).__name__, cause=json.dumps(details)))
                return
            free.append(process.environment)
            reply(Reply(answer=answer))

        def too_long() -> None:
            if not replied and process.alive:
                self._log(f"{name} takes too long")
                self._scheduler.kill(process)

        self._scheduler.start(process, body, self.weather.delay(self._scheduler.rng, 0.02, 0.3))
        self._scheduler.after(deployed.timeouts()[function], too_long)

    def _refusal(self, function: str) -> str:
        """Why it cannot be called now; empty when it can."""
        if self.weather.outage(self._scheduler.now):
            return "throttled"
        if not 0 < self.weather.concurrency <= self.running:
            return ""
        self.throttled[function] = self.throttled.get(function, 0) + 1
        return LIMIT

    def task(self, logical: str, payload: dict[str, Any], done: Done) -> None:
        """For the state machine, which knows functions as `PhaseStateManager`."""
        name = "".join(f"_{c.lower()}" if c.isupper() else c for c in logical).strip("_")
        self.invoke(name, json.loads(json.dumps(payload)), done)

    def event(self, function: str, event: dict[str, Any], tries: int = 0) -> None:
        """Without an answer: two retries, then among the dead letters."""

        def done(reply: Reply) -> None:
            if not reply.error:
                return
            if reply.cause == LIMIT:  # for up to six hours, and no try is used up
                self._scheduler.after(AGAIN_S[0], lambda: self.event(function, event, tries))
                return
            self._log(f"{function} failed at an event: {reply.error}")
            if tries + 1 == deployed.tries_of_an_event(function):
                self.failed_events.append((function, event))
                return
            self._scheduler.after(AGAIN_S[tries], lambda: self.event(function, event, tries + 1))

        self.invoke(function, event, done)

    def arrived(self, queue: str, delay: float) -> None:
        """Something can be read from this queue, after so many seconds."""
        if queue in QUEUES:
            wait = delay + self.weather.delay(self._scheduler.rng, 0.05, self.weather.late_s)
            self._scheduler.after(wait, lambda: self._poll(queue))

    def _poll(self, queue: str) -> None:
        function, most = QUEUES[queue].function, QUEUES[queue].batch
        now = self._scheduler.now
        if self.weather.outage(now) or self.weather.gone("sqs", now):
            self._scheduler.after(20.0, lambda: self._poll(queue))
            return
        messages = self._sqs.receive(queue, most)
        if not messages:
            return
        self._scheduler.rng.shuffle(messages)
        self._deliver(queue, function, messages)
        if self._scheduler.rng.random() < self.weather.double:
            later = self._scheduler.rng.random() * 90
            self._log(f"{function} gets {[m.name for m in messages]} twice")
            self._scheduler.after(later, lambda: self._deliver(queue, function, messages))

    def _deliver(self, queue: str, function: str, messages: list[Message]) -> None:
        def done(reply: Reply) -> None:
            if reply.error:
                self._log(f"{function} failed at a batch: {reply.error} {reply.cause[:200]}")
                return
            failed = {entry["itemIdentifier"] for entry in reply.answer["batchItemFailures"]}
            if failed:
                self._log(f"{function} puts off {sorted(failed)}")
            self._sqs.delete(queue, [m.name for m in messages if m.name not in failed])

        self.invoke(function, {"Records": [_record(message) for message in messages]}, done)

    def changed(self, change: dict[str, Any]) -> None:
        """The ledger's stream."""
        self._stream.append(change)
        if not self._publishing:
            self._publishing = True
            self._scheduler.after(self.weather.delay(self._scheduler.rng, 0.2, 1.0), self._publish)

    def _publish(self) -> None:
        if self.weather.gone("dynamodb", self._scheduler.now):
            self._scheduler.after(20.0, self._publish)
            return
        batch = self._stream[: deployed.stream_batch()]
        self._publishing = bool(batch)
        if batch:
            self.invoke(
                "fact_publisher", {"Records": batch}, lambda reply: self._published(batch, reply)
            )

    def _published(self, batch: list[dict[str, Any]], reply: Reply) -> None:
        handled, pause = len(batch), 0.2
        if reply.error:
            handled, pause = 0, 2.0
        elif reply.answer["batchItemFailures"]:
            first = min(entry["itemIdentifier"] for entry in reply.answer["batchItemFailures"])
            numbers = [record["dynamodb"]["SequenceNumber"] for record in batch]
            handled, pause = numbers.index(first), 2.0
        del self._stream[:handled]
        self._publishing = True
        self._scheduler.after(pause if self._stream else 0.2, self._publish)

    def redrive(self) -> int:
        """Send dead letters back to their source; returns how many."""
        found, self.failed_events = self.failed_events, []
        for function, event in found:
            self.event(function, event)
        return len(found) + sum(self._sqs.redrive(queue) for queue in QUEUES)

    def dead_letters(self) -> list[str]:
        dead = [m.body for q in QUEUES for m in self._sqs.queues[f"{q}-dead"].messages.values()]
        return dead + [f"{function}: {event}" for function, event in self.failed_events]

    def idle(self) -> bool:
        """Nothing waits in a queue or in the stream."""
        return not self._stream and not any(self._sqs.queues[q].messages for q in QUEUES)


def _record(message: Message) -> dict[str, Any]:
    return {
        "messageId": message.name,
        "receiptHandle": message.receipt,
        "body": message.body,
        "messageAttributes": {
            name: {"stringValue": one["StringValue"], "dataType": one["DataType"]}
            for name, one in message.attributes.items()
        },
        "attributes": {"ApproximateReceiveCount": str(message.receives)},
        "eventSource": "aws:sqs",
    }
