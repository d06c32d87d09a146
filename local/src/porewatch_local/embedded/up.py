"""`up`: database, engine, stand-in for Stripe, stack, instance host, in this order; the identity
provider starts beside the first two. `status` lists what runs."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from porewatch_local import processes
from porewatch_local.embedded.after_a_crash import (
    unclean_stop,
    unknown_runs,
)
from porewatch_local.embedded.deploy import deploy_stack
from porewatch_local.embedded.engine import (
    endpoint,
    root_credentials,
    start_engine,
)
from porewatch_local.embedded.identity_provider import start_identity
from porewatch_local.embedded.instance_host_process import start_host
from porewatch_local.embedded.made_up_people import put_made_up_people
from porewatch_local.embedded.mail_catcher_process import start_mail_catcher
from porewatch_local.embedded.postgres import start_postgres
from porewatch_local.embedded.users import (
    INSTANCE_HOST,
    OPERATOR,
    user_key,
)
from porewatch_local.paths import (
    Home,
    LocalProblem,
    LocalStack,
    find_home,
    locked,
)
from porewatch_local.stripe_stand_in.process import listen, start_stripe

Progress = Callable[[str], None]
PARTS = ("postgres", "engine", "identity", "mail", "stripe", "host")


def up(
    home: Path | None = None,
    *,
    deploy: bool = True,
    progress: Progress = lambda line: None,
    **host_settings: object,
) -> LocalStack:
    """Bring the embedded AWS up and deploy the stack into it. Doing it twice is fine.

    `deploy=False` leaves the stack out. `host_settings` replace fields of HostConfig (only when
    the host is not running yet). Raises LocalProblem with the reason and the remedy.
    """
    place = find_home(home)
    place.state.mkdir(parents=True, exist_ok=True)
    with locked(place.state / "lock"):
        return _up(place, deploy, progress, host_settings)


def _up(
    place: Home, deploy: bool, progress: Progress, host_settings: dict[str, object]
) -> LocalStack:
    step = _Steps(progress)
    identity = start_identity(place)
    database = start_postgres(place)
    step.done(f"PostgreSQL on port {database.port}")
    start_mail_catcher(place)
    step.done(f"mail is caught in {place.mail}")
    crashed = unclean_stop(place) if "engine" not in running(place) else None
    engine = start_engine(place, database)
    root = LocalStack(
        endpoint=endpoint(engine.port),
        credentials=root_credentials(place),
        database=database.dsn(),
        identity=identity.provider,
    )
    stack = root.model_copy(update={"credentials": user_key(place, root, OPERATOR)})
    stack = _with_outputs(place, stack)
    step.done(f"AWS at {stack.endpoint}")
    step.done(f"stand-in for Stripe at {start_stripe(place)}")
    step.done(f"identity provider at {identity.ready().issuer}")
    if crashed:
        progress(crashed.message())
    if deploy:
        stack = deploy_stack(place, stack, progress=progress)
        step.done(f"stack {stack.stack_name} with {len(stack.outputs)} outputs")
        put_made_up_people(stack)
        listen(place, stack)
        for run_id in unknown_runs(stack) if crashed else ():
            progress(f"run {run_id} has files and no record: submit it again")
    key = user_key(place, root, INSTANCE_HOST)
    control = start_host(place, stack, key, **host_settings)
    step.done(f"instance host at {control.url}")
    stack = stack.model_copy(update={"control": control, "pids": running(place)})
    place.write(stack)
    return stack


def _with_outputs(home: Home, stack: LocalStack) -> LocalStack:
    """`stack` with what the last deploy wrote down, when it was into this same cloud."""
    try:
        known = home.read()
    except LocalProblem:
        return stack
    if known.endpoint != stack.endpoint:
        return stack
    return stack.model_copy(update={"stack_name": known.stack_name, "outputs": known.outputs})


def running(home: Home) -> dict[str, int]:
    """The pids of the parts that run, by name."""
    found = {part: processes.read_record(home.state / f"{part}.json") for part in PARTS}
    return {part: record.pid for part, record in found.items() if record}


def status(home: Path | None = None) -> LocalStack:
    """What is written in `local.json`, with the pids of what runs now (none: it is down)."""
    place = find_home(home)
    return place.read().model_copy(update={"pids": running(place)})


def require(home: Path | None = None) -> LocalStack:
    """The running embedded AWS. Raises LocalProblem when a part of it is down."""
    stack = status(home)
    missing = [part for part in PARTS if part not in stack.pids]
    if missing:
        raise LocalProblem(f"not running: {', '.join(missing)}. Remedy: run `porewatch up`.")
    return stack


class _Steps:
    """Prints what was done and how long it took."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._since = time.monotonic()

    def done(self, what: str) -> None:
        now = time.monotonic()
        self._progress(f"{what} ({now - self._since:.1f} s)")
        self._since = now
