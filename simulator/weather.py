"""What goes wrong in a schedule, drawn from its seed. In clear weather nothing does."""

from __future__ import annotations

from dataclasses import dataclass, replace
from random import Random

from simulator.calls import Call, Fate

HOUR = 3600.0


@dataclass(frozen=True)
class Weather:
    """Chances between 0 and 1 (of one call of AWS, one message, one machine); times in seconds.

    It calms down after `calm_after`, since nothing ends while everything breaks for ever.
    """

    dies: float = 0.0
    throttled: float = 0.0
    broken: float = 0.0
    lost_answers: float = 0.0
    twice: float = 0.0
    worker_dies: float = 0.0
    freezes: float = 0.0
    double: float = 0.0
    lost: float = 0.0
    late_s: float = 0.2
    shows_late_s: float = 1.0
    looks_late_s: float = 0.0
    index_late_s: float = 0.5
    boot_s: tuple[float, float] = (30.0, 60.0)
    troubled: float = 0.0
    full: tuple[str, ...] = ()
    full_until: float = 0.0
    full_pools: float = 0.0
    outages: tuple[tuple[float, float], ...] = ()
    away: tuple[tuple[str, float, float], ...] = ()
    """Services (by boto3's name) that answer nobody from then till then."""
    slow: tuple[tuple[str, float, float, float], ...] = ()
    """Services that take so many seconds for a call, from then till then."""
    lost_endings: float = 0.0
    """Step Functions' events about an execution's end: best effort."""
    quota_until: float = 0.0
    calm_after: float = 4 * HOUR
    on_demand_in: tuple[str, ...] = ()
    """The zones that have on-demand machines; every zone when this is empty."""
    stillborn: int = 0
    """So many machines, the first ones, never boot."""
    concurrency: int = 0
    """Functions that the account may run at once; no limit when this is 0."""
    people: tuple[tuple[float, str], ...] = ()
    """What somebody does to the run, and when: seconds, and one of `people.ACTS`
    or `spoil`."""
    by_tar: bool = False
    """The run is sent as a tar."""
    executor: str = "ec2"
    ahead_s: float = 0.0
    """How much the clocks of machines are ahead; behind when it is negative. AWS hears nobody who
    is off by five minutes."""

    def delay(self, rng: Random, least: float, most: float) -> float:
        return least + rng.random() * max(0.0, most - least)

    def outage(self, now: float) -> bool:
        """No function can be called now."""
        return any(start <= now < end for start, end in self.outages)

    def gone(self, service: str, now: float) -> bool:
        """The service answers nobody now."""
        return any(name == service and start <= now < end for name, start, end in self.away)

    def lag(self, service: str, now: float) -> float:
        """Seconds that a call of it takes longer now."""
        there = (s for name, start, end, s in self.slow if name == service and start <= now < end)
        return max(there, default=0.0)

    def calm(self) -> Weather:
        """As it is when everything is over: only the usual delays."""
        return CLEAR

    def waits(self, now: float) -> bool:
        """No host comes for jobs now."""
        return now < self.full_until and "batch" in self.full

    def fate(self, rng: Random, call: Call, now: float) -> Fate:
        if now > self.calm_after:
            return Fate.FINE
        works = call.process.kind == "worker"
        dies = self.worker_dies if works else self.dies
        drawn = rng.random()
        for chance, fate in (
            (dies / 2, Fate.DIES_BEFORE),
            (dies / 2, Fate.DIES_AFTER),
            (self.freezes if works else 0.0, Fate.FREEZES),
            (self.throttled, Fate.THROTTLED),
            (self.broken / 2, Fate.BROKEN),
            (self.broken / 2, Fate.DONE_BUT_BROKEN),
            (self.lost_answers, Fate.ANSWER_LOST),
            (self.twice, Fate.TWICE),
        ):
            if drawn < chance:
                return fate
            drawn -= chance
        return Fate.FINE

    def refuses(self, rng: Random, now: float, purchase: str, zone: str = "") -> str | None:
        """EC2's error code when a pool gives no machine now."""
        if now < self.quota_until:
            spot = purchase == "spot"
            return "MaxSpotInstanceCountExceeded" if spot else "VcpuLimitExceeded"
        if self.on_demand_in and purchase == "on-demand" and zone not in self.on_demand_in:
            return "InsufficientInstanceCapacity"
        if now < self.full_until and purchase in self.full:
            return "InsufficientInstanceCapacity"
        if now < self.calm_after and rng.random() < self.full_pools:
            return rng.choice(("InsufficientInstanceCapacity", "UnfulfillableCapacity"))
        return None


CLEAR = Weather()


def drawn(seed: int) -> Weather:
    """The weather of a seed: of each kind of trouble there is none, a little, or a lot."""
    rng = Random(seed * 7919 + 17)

    def some(most: float) -> float:
        return rng.choice((0.0, 0.0, 0.2, 1.0)) * most * rng.random()

    weather = Weather(
        dies=some(0.02),
        throttled=some(0.03),
        broken=some(0.02),
        lost_answers=some(0.02),
        twice=some(0.03),
        worker_dies=some(0.02),
        freezes=some(0.01),
        double=some(0.3),
        lost=some(0.2),
        late_s=0.2 + some(20.0),
        shows_late_s=1.0 + some(60.0),
        looks_late_s=some(10.0),
        index_late_s=0.5 + some(5.0),
        boot_s=rng.choice(((30.0, 60.0), (60.0, 240.0))),
        troubled=some(1.5),
        full_pools=some(0.9),
    )
    if rng.random() < 0.15:
        full = rng.choice((("spot",), ("spot", "on-demand"), ("spot", "on-demand", "batch")))
        weather = replace(weather, full=full, full_until=rng.random() * HOUR)
    if rng.random() < 0.15:
        start = rng.random() * 1200
        weather = replace(weather, outages=((start, start + rng.random() * 1500),))
    executor = rng.choice(("ec2", "ec2", "ec2-then-batch", "batch"))
    ahead_s = Random(seed * 31 + 5).choice((0.0, 0.0, 0.0, 20.0, 290.0, -20.0, -290.0))
    weather = replace(weather, executor=executor, ahead_s=ahead_s)
    return _with_people(_with_services(weather, seed), seed)


def _with_people(weather: Weather, seed: int) -> Weather:
    """Also drawn apart. Some cancel before the run begins, some when it is over."""
    rng = Random(seed * 7307 + 11)
    acts: list[tuple[float, str]] = []
    if rng.random() < 0.15:
        acts.append((rng.random() * rng.choice((5.0, 300.0, 3600.0)), "cancel"))
    if rng.random() < 0.1:
        held = rng.random() * 1800
        acts += [(held, "hold"), (held + rng.random() * 3600, "release")]
    if rng.random() < 0.15:
        acts += [(rng.random() * 1800, "look") for _ in range(3)]
    by_tar = rng.random() < 0.2
    if rng.random() < 0.25:  # a seal that is none beside the run; half of these are cancelled after
        spoilt = 60 + rng.random() * 600
        acts.append((spoilt, "spoil"))
        acts += [(spoilt + rng.random() * 300, "cancel")] * rng.randrange(2)
    return replace(weather, people=tuple(sorted(acts)), by_tar=by_tar)


SERVICES = ("dynamodb", "s3", "sqs", "stepfunctions", "ec2", "batch", "events")


def _with_services(weather: Weather, seed: int) -> Weather:
    """What befalls whole services: drawn apart for each seed, so older seeds keep their rest."""
    rng = Random(seed * 104729 + 3)
    lost = rng.choice((0.0, 0.0, 0.5, 1.0))
    weather = replace(weather, lost_endings=lost)
    if rng.random() < 0.25:
        start, name = rng.random() * 1500, rng.choice(SERVICES)
        weather = replace(weather, away=((name, start, start + rng.random() * HOUR),))
    elif rng.random() < 0.1:
        start, two = rng.random() * 1500, rng.sample(SERVICES, 2)
        weather = replace(weather, away=tuple((name, start, start + 600.0) for name in two))
    if rng.random() < 0.1:
        start, name = rng.random() * 1500, rng.choice(SERVICES)
        slow = (name, start, start + rng.random() * HOUR, rng.choice((1.0, 8.0, 30.0)))
        weather = replace(weather, slow=(slow,))
    if rng.random() < 0.1:
        weather = replace(weather, quota_until=rng.random() * HOUR)
    if rng.random() < 0.1:
        weather = replace(weather, late_s=rng.random() * 900)
    return weather
