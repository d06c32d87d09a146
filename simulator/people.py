"""People: somebody at a keyboard or a dashboard, who repeats a request until there is an answer."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from simulator.asl import Reply
from simulator.handlers import ROOT
from simulator.lambdas import Lambdas
from simulator.scheduler import Scheduler

ACTS = ("cancel", "hold", "release", "look")
AGAIN_S = 90.0
NO = ("RunOver", "RunGone", "RunNotOver", "UnderHold")
"""Answers that stay as they are, however often the request is repeated."""
WHO = {"by": "M. Sato", "reason": "wrong flow cell"}
LOOKS = ("/runs", "/runs/{run_id}", "/runs/{run_id}/report", "/alerts")
_HTTP = json.loads((ROOT / "events/functions/api.run.json").read_text())


class People:
    """`answers`: what each act came to, in order: an answer, or the name of an error that stays."""

    def __init__(self, scheduler: Scheduler, lambdas: Lambdas, log: Callable[[str], None]) -> None:
        self._scheduler, self._lambdas, self._log = scheduler, lambdas, log
        self.answers: list[tuple[str, Any]] = []
        self.waiting = 0

    def act(self, what: str, run_id: str) -> None:
        """One of `ACTS`, `acknowledge` (its alert) or `delete`, on a run."""
        order: dict[str, Any] = {"run_id": run_id, **WHO}
        if what == "look":
            for path in LOOKS:
                self._look(path.format(run_id=run_id))
        elif what == "cancel":
            self._order("cancel", "run_canceller", order)
        elif what == "acknowledge":
            alert = {"sample": "pig", "code": "PERV-C", "name": WHO["by"]}
            self._order(what, "alert_handler", {"run_id": run_id, **alert})
        elif what == "delete":
            self._order("delete", "run_eraser", order)
        else:
            self._order(what, "run_keeper", {**order, "release": what == "release"})

    def _order(self, what: str, function: str, order: dict[str, Any]) -> None:
        """Until it is done: a call may die, and it may leave the rest to the next one (`more`)."""
        self.waiting += 1

        def request() -> None:
            self._lambdas.invoke(function, order, done)

        def done(reply: Reply) -> None:
            if (reply.error and reply.error not in NO) or (reply.answer or {}).get("more"):
                self._scheduler.after(AGAIN_S, request)
                return
            self.waiting -= 1
            self.answers.append((what, reply.error or reply.answer))
            self._log(f"a person: {what} of {order['run_id']} {reply.error or 'is done'}")

        request()

    def _look(self, path: str) -> None:
        event = {**_HTTP, "path": path, "pathParameters": None}

        def done(reply: Reply) -> None:
            status = None if reply.error else reply.answer["statusCode"]
            self.answers.append((path, status))
            if status not in (None, 200, 404, 409, 503):
                self._log(f"GET {path} BUG {status} {reply.answer['body']}")

        self._lambdas.invoke("api", event, done)
