"""The loop: compare what AWS lists as running with what runs here, and close the difference.

    new instance or job          -> boot: user-data or command as a process group
    user-data ended              -> terminate the instance (shutdown means terminate)
    command of a job ended       -> report its exit code
    terminated by AWS            -> SIGTERM, after `grace_s` (`job_grace_s`) SIGKILL
    announced interruption due   -> terminate the instance; the host of a job is gone

A failed look at AWS changes nothing: what is unknown is left alone.
"""

from __future__ import annotations

import logging
import signal
import threading
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from porewatch_local.instance_host import jobs, metadata
from porewatch_local.instance_host import machine as machines
from porewatch_local.instance_host.cloud import Cloud, tags_of
from porewatch_local.instance_host.config import HostConfig
from porewatch_local.instance_host.machine import Machine
from porewatch_local.instance_host.surroundings import environment

log = logging.getLogger("instance-host")

STATE_CHANGE = "EC2 Instance State-change Notification"
INTERRUPTION = "EC2 Spot Instance Interruption Warning"
REBALANCE = "EC2 Instance Rebalance Recommendation"
JOB_LASTS_S = 14 * 24 * 3600
"""How long the token for a job's credentials is valid."""


class Host:
    """All instances of this home. Safe to use from the loop and from the server's threads."""

    def __init__(self, config: HostConfig, cloud: Cloud, account: str) -> None:
        self.config = config
        self.cloud = cloud
        self._account = account
        self._lock = threading.RLock()
        self.machines = machines.load_all(config.instances)
        self.stopping = threading.Event()
        for adopted in self.machines.values():
            log.info("adopted %s (pid %d)", adopted.instance_id, adopted.pid)

    def run(self) -> None:
        """Look every `poll_s` until the stop signal, then end every instance."""
        while not self.stopping.wait(self.config.poll_s):
            self.tick()
        self.close()

    def tick(self) -> None:
        """One look. Never raises for what AWS does."""
        machines.reap()
        try:
            live = {**self.cloud.instances(), **self.cloud.jobs()}
        except (BotoCoreError, ClientError) as problem:
            log.warning("cannot look at instances and jobs: %s", problem)
            return
        for instance_id, found in live.items():
            if instance_id not in self.machines:
                boot = self._begin if "jobId" in found else self._boot
                self._guarded(instance_id, lambda boot=boot, found=found: boot(found))
        for instance_id in list(self.machines):
            self._guarded(instance_id, lambda i=instance_id: self._follow(i, i in live))

    def _guarded(self, instance_id: str, act: Any) -> None:
        try:
            with self._lock:
                act()
        except (BotoCoreError, ClientError, OSError) as problem:
            log.warning("%s: %s", instance_id, problem)

    def _boot(self, instance: dict[str, Any]) -> None:
        machine = self._describe(instance)
        try:
            script, profile = self.cloud.user_data(instance)
            if profile:
                machine = machine.model_copy(update={"role": self.cloud.role_of(profile)})
            command = machines.write_script(self.config.instances, machine, script)
            machine = self._started(machine, command, {})
        except (LookupError, ClientError, OSError) as problem:
            machines.note(self.config.instances, machine.instance_id, f"cannot boot: {problem}")
            log.exception("%s cannot boot", machine.instance_id)
            self.cloud.terminate(machine.instance_id)
            return
        self.cloud.announce(machine, STATE_CHANGE, state="running")

    def _begin(self, job: dict[str, Any]) -> None:
        machine = jobs.machine_of(job, self.config.region, self._account)
        self.cloud.report(machine, "PENDING")
        try:
            door = f"{self.address(machine.instance_id)}/credentials"
            token = metadata.new_token(self.config.metadata_key, machine.instance_id, JOB_LASTS_S)
            variables = jobs.environment_of(job, door, token)
            machine = self._started(machine, jobs.command_of(job), variables)
        except (LookupError, ClientError, OSError) as problem:
            machines.note(self.config.instances, machine.instance_id, f"cannot begin: {problem}")
            log.exception("%s cannot begin", machine.instance_id)
            self.cloud.report(machine, "STOPPED", f"CannotStartContainerError: {problem}", 1)
            return
        self.cloud.report(machine, "RUNNING")

    def _started(
        self, machine: Machine, command: Sequence[str], variables: Mapping[str, str]
    ) -> Machine:
        """Run it here, once its role has been had: a role that cannot be assumed starts nothing."""
        if machine.role:
            self.cloud.credentials(machine.role, machine.instance_id)
        around = {**variables, **environment(self.config, self.address(machine.instance_id))}
        machine = machines.start(self.config.instances, machine, command, around)
        self.machines[machine.instance_id] = machine
        log.info("started %s (pid %d)", machine.instance_id, machine.pid)
        return machine

    def _describe(self, instance: dict[str, Any]) -> Machine:
        return Machine(
            instance_id=instance["InstanceId"],
            instance_type=instance["InstanceType"],
            zone=instance["Placement"]["AvailabilityZone"],
            region=self.config.region,
            account=self._account,
            lifecycle=instance.get("InstanceLifecycle", "on-demand"),
            image=instance.get("ImageId", ""),
            address=instance.get("PrivateIpAddress", ""),
            tags=tags_of(instance),
            launched_at=datetime.now(UTC),
        )

    def address(self, instance_id: str) -> str:
        """The metadata address of one instance."""
        return f"http://127.0.0.1:{self.config.port}/{instance_id}"

    def _follow(self, instance_id: str, live: bool) -> None:
        machine = self.machines[instance_id]
        if not machine.running():
            self._finish(machine, live)
        elif not live:
            self._stop(machine)
        elif machine.notice_until and datetime.now(UTC) >= machine.notice_until:
            log.info("%s is reclaimed", instance_id)
            if machine.is_job:
                self._stop(machine)
            else:
                self.cloud.terminate(instance_id)

    def _stop(self, machine: Machine) -> None:
        if machine.stop_since is None:
            machines.note(self.config.instances, machine.instance_id, "terminated: SIGTERM")
            machines.send(machine, signal.SIGTERM)
            self._keep(machine, stop_since=datetime.now(UTC))
            self._announce(machine, STATE_CHANGE, state="shutting-down")
        elif datetime.now(UTC) - machine.stop_since > self._grace(machine):
            machines.note(self.config.instances, machine.instance_id, "still there: SIGKILL")
            machines.send(machine, signal.SIGKILL)

    def _finish(self, machine: Machine, live: bool) -> None:
        machines.send(machine, signal.SIGKILL)  # what the script left behind in its group
        if machine.is_job:
            code = jobs.exit_code(self.config.instances, machine)
            self.cloud.report(machine, "STOPPED", jobs.reason(machine), code)
        elif live:
            self.cloud.terminate(machine.instance_id)
        machines.note(self.config.instances, machine.instance_id, "ended")
        self._keep(machine, ended_at=datetime.now(UTC))
        del self.machines[machine.instance_id]
        log.info("ended %s", machine.instance_id)
        self._announce(machine, STATE_CHANGE, state="terminated")

    def _grace(self, machine: Machine) -> timedelta:
        seconds = self.config.job_grace_s if machine.is_job else self.config.grace_s
        return timedelta(seconds=seconds)

    def _announce(self, machine: Machine, detail_type: str, **detail: str) -> None:
        """Send EC2's events; Batch sends those of its jobs itself, and nothing reads the hosts'."""
        if not machine.is_job:
            self.cloud.announce(machine, detail_type, **detail)

    def _keep(self, machine: Machine, **changes: Any) -> Machine:
        changed = machine.model_copy(update=changes)
        self.machines[machine.instance_id] = changed
        machines.save(self.config.instances, changed)
        return changed

    def interrupt(self, instance_id: str, after_s: float | None = None) -> Machine:
        """Announce the end of a spot instance; it comes after `after_s` (default `notice_s`)."""
        with self._lock:
            machine = self.machines[instance_id]
            wait = self.config.notice_s if after_s is None else after_s
            until = datetime.now(UTC) + timedelta(seconds=wait)
            machine = self._keep(machine, notice_until=until)
        machines.note(self.config.instances, instance_id, f"interruption notice: {wait:.0f} s")
        self._announce(machine, INTERRUPTION, **{"instance-action": "terminate"})
        return machine

    def rebalance(self, instance_id: str) -> Machine:
        """Recommend to move: the instance may be interrupted soon, or never."""
        with self._lock:
            machine = self._keep(self.machines[instance_id], rebalance_at=datetime.now(UTC))
        machines.note(self.config.instances, instance_id, "rebalance recommendation")
        self._announce(machine, REBALANCE)
        return machine

    def kill(self, instance_id: str) -> Machine:
        """The power fails: SIGKILL to everything, no notice."""
        with self._lock:
            machine = self.machines[instance_id]
            machines.note(self.config.instances, instance_id, "killed without notice")
            machines.send(machine, signal.SIGKILL)
        return machine

    def close(self) -> None:
        """End every instance, here and in AWS: `down` leaves nothing behind."""
        with self._lock:
            for machine in list(self.machines.values()):
                machines.send(machine, signal.SIGTERM)
            deadline = datetime.now(UTC) + timedelta(seconds=self.config.grace_s)
            while datetime.now(UTC) < deadline and any(m.running() for m in self.machines.values()):
                threading.Event().wait(0.1)
                machines.reap()
            for machine in list(self.machines.values()):
                self._guarded(machine.instance_id, lambda m=machine: self._finish(m, True))
