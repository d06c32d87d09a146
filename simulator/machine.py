"""What happens on machines: they boot, the real worker runs on them, and they end, in one of the
ways machines end. Nothing here knows what the control plane believes.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from random import Random

from porewatch.domain.stage.spec import StageSpec
from porewatch_worker import main
from porewatch_worker.instance.attempt import run_attempt
from porewatch_worker.settings import WorkerSettings
from porewatch_worker.stage.stop import Stop
from simulator.batch import RECLAIMED, Job
from simulator.ec2 import Instance
from simulator.scheduler import Process, Scheduler, Thread
from simulator.weather import Weather
from simulator.work import Plan, builder

TROUBLES = ("killed", "notice", "rebalance", "reclaimed", "dead", "hangs", "mute", "no boot", "bug")
SILENT_S = 180.0
WAITS_S = float(StageSpec.model_fields["boot_deadline_s"].default)
"""A job whose host comes later than this has been given up before it began."""
SELF, CLOUD, BROKEN = (
    "Client.InstanceInitiatedShutdown",
    "Server.SpotInstanceTermination",
    "Server.InternalError",
)


class SimulatedStop(Stop):
    """Wakes whoever waits for a computation, as the real loop looks every 0.2 s."""

    def __init__(self, scheduler: Scheduler) -> None:
        super().__init__()
        self._scheduler = scheduler
        self.waiting: list[Thread] = []

    def request(self, reason: str) -> None:
        super().request(reason)
        self._wake()

    def rebalance(self) -> None:
        super().rebalance()
        self._wake()

    def _wake(self) -> None:
        for thread in self.waiting:
            self._scheduler.wake(thread)


@dataclass
class Box:
    """One machine and its worker. `sent_last` once the worker has reported how it
    ended, or its result is visible."""

    instance: Instance
    process: Process
    stop: SimulatedStop
    trouble: str = ""
    notice: str | None = None
    rebalance: str | None = None
    muted: tuple[float, float] = (0.0, 0.0)
    sent_last: bool = False
    began: float | None = None
    worked: bool = False


class Metadata:
    """The metadata service as the worker reads it."""

    def __init__(self, box: Box) -> None:
        self._box = box

    def instance_id(self) -> str:
        return self._box.instance.name

    def tag(self, name: str) -> str:
        return self._box.instance.tags[name]

    def spot_action(self) -> str | None:
        return self._box.notice

    def rebalance(self) -> str | None:
        return self._box.rebalance


@dataclass(frozen=True)
class Means:
    """What machines need of the world. `send_event` goes to EventBridge (detail type, detail)."""

    scheduler: Scheduler
    weather: Weather
    settings: WorkerSettings
    plan: Plan
    send_event: Callable[[str, dict[str, str]], None]
    log: Callable[[str], None]


class Machines:
    """All machines of the world."""

    def __init__(self, means: Means) -> None:
        self._means = means
        self._scheduler = means.scheduler
        self.boxes: dict[str, Box] = {}

    def born(self, instance: Instance) -> None:
        stop = SimulatedStop(self._scheduler)
        box = Box(instance, Process("worker", f"worker@{instance.name[-4:]}"), stop)
        box.process.box = box  # type: ignore[attr-defined]
        box.process.stop = stop  # type: ignore[attr-defined]
        box.process.ahead_s = self._means.weather.ahead_s
        self.boxes[instance.name] = box
        rng, weather = self._scheduler.rng, self._means.weather
        if self._scheduler.now < weather.calm_after and rng.random() < weather.troubled:
            box.trouble = rng.choice(TROUBLES)
        if len(self.boxes) <= weather.stillborn:
            box.trouble = "no boot"
        boot = weather.delay(rng, *weather.boot_s)
        self._means.log(f"{instance.name} is born for {instance.owner} {box.trouble}")
        if box.trouble == "no boot":
            self._scheduler.after(boot, lambda: self._state(instance, "running"))
            return
        self._scheduler.after(boot, lambda: self._boot(box))
        if box.trouble:
            self._scheduler.after(boot + rng.random() * 400, lambda: self._strike(box, rng))

    def _boot(self, box: Box) -> None:
        if not box.instance.living:
            return
        if isinstance(box.instance, Job) and self._means.weather.waits(self._scheduler.now):
            self._scheduler.after(30.0, lambda: self._boot(box))
            return
        self._state(box.instance, "running")
        box.began = self._scheduler.now
        self._scheduler.start(box.process, lambda: self._work(box), 5.0)

    def _work(self, box: Box) -> None:
        settings = self._means.settings
        cloud = replace(main._cloud(settings, box.stop), metadata=Metadata(box))
        bug = box.trouble == "bug"
        try:
            run_attempt(settings, cloud, box.stop, builder(self._means.plan, bug=bug))
        finally:
            if box.instance.living:
                self._scheduler.after(3.0, lambda: self.end(box.instance, SELF))

    def _strike(self, box: Box, rng: Random) -> None:
        if not box.instance.living:
            return
        self._means.log(f"{box.instance.name}: {box.trouble}")
        now = self._scheduler.now
        match box.trouble:
            case "killed":
                self._scheduler.kill(box.process)
                self._scheduler.after(3.0, lambda: self.end(box.instance, SELF))
            case "dead":
                self.end(box.instance, BROKEN, at_once=True)
            case "reclaimed" if box.instance.spot:
                self.end(box.instance, CLOUD, at_once=True)
            case "notice" if box.instance.spot:
                self.notice(box)
            case "rebalance" if box.instance.spot:
                box.rebalance = json.dumps({"noticeTime": str(now)})
                self._announce(box, "Rebalance Recommendation", {})
                if rng.random() < 0.5:
                    self._scheduler.after(rng.random() * 300, lambda: self.notice(box))
            case "hangs":
                self._scheduler.freeze(box.process, rng.choice((120.0, 900.0, 7200.0)))
            case "mute":
                box.muted = (now, now + rng.choice((60.0, 240.0)))

    def notice(self, box: Box) -> None:
        """A spot machine gets the notice that it is interrupted in two minutes."""
        if not box.instance.living or not box.instance.spot or box.notice:
            return
        box.notice = json.dumps({"action": "terminate", "time": "soon"})
        self._announce(box, "Interruption Warning", {"instance-action": "terminate"})
        self._scheduler.after(120.0, lambda: self.end(box.instance, CLOUD))

    def end(self, instance: Instance, why: str, *, at_once: bool = False) -> None:
        """The machine ends: its worker gets the signal, and is killed when it does not exit."""
        if not instance.living:
            return
        box = self.boxes[instance.name]
        if isinstance(instance, Job) and why == CLOUD:
            why = RECLAIMED
        self._means.log(f"{instance.name} ends: {why}")
        if isinstance(instance, Job) and instance.state == "pending":
            self._state(instance, "terminated", why)
            return
        self._state(instance, "shutting-down", why)
        if not at_once:
            box.stop.request("signal SIGTERM")
        patience = 0.0 if at_once else self._scheduler.rng.random() * 30
        self._scheduler.after(patience, lambda: self._scheduler.kill(box.process))
        self._scheduler.after(patience + 5.0, lambda: self._state(instance, "terminated", why))

    def _state(self, instance: Instance, state: str, why: str = "") -> None:
        if instance.state == "terminated" or (state == "running" and not instance.living):
            return
        instance.history.append((self._scheduler.now, state, why))
        self._announce(self.boxes[instance.name], "State-change Notification", {"state": state})

    def _announce(self, box: Box, what: str, detail: dict[str, str]) -> None:
        """EC2 sends events of instances; a job's host has no name that the stack knows."""
        if not isinstance(box.instance, Job):
            spot = "Spot " if what == "Interruption Warning" else ""
            named = {"instance-id": box.instance.name, **detail}
            self._means.send_event(f"EC2 {spot}Instance {what}", named)

    def healthy(self, instance: Instance) -> bool:
        """The truth: it runs, its worker works (or boots within reason) and has not ended. One
        that was silent for long may be taken for dead even when it has come round since; a job that
        waits for a host, or got it after it was given up, has nothing to lose."""
        box = self.boxes[instance.name]
        frozen = box.process.longest_freeze > SILENT_S
        born = instance.history[0][0]
        late = box.began is not None and box.began - born > WAITS_S
        waits = isinstance(instance, Job) and (instance.state == "pending" or late)
        booting = box.began is None and box.trouble != "no boot" and not waits
        works = box.process.alive and not frozen and not box.stop.requested and not box.sent_last
        running = any(not thread.over for thread in box.process.threads) or booting
        return instance.living and box.notice is None and works and running and not waits
