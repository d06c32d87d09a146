"""Settings from the environment. The only reader of the environment in the worker.

On AWS Batch it also holds the assignment: POREWATCH_RUN, POREWATCH_REVISION, POREWATCH_STAGE,
POREWATCH_EPOCH and POREWATCH_SECRET (which authenticates messages), with the job's id in place of
the instance's. Without POREWATCH_RUN the assignment is in the instance's tags.

POREWATCH_STACK, LEDGER_TABLE, RAW_BUCKET, RESULTS_BUCKET and WORKER_QUEUE_URL are required; the
rest has defaults. Names in capitals beside the fields are the variables.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping
from pathlib import Path

from pydantic import ValidationError

from porewatch.domain.base import Model
from porewatch.domain.errors import ConfigurationRefused
from porewatch_worker.checkpoint.interval import MEAN_TO_INTERRUPT_S

METADATA = "http://169.254.169.254"


class BasecallerSettings(Model):
    """Where dorado is and what it may use. `device`: the value of dorado's `--device`."""

    program: str = "dorado"  # POREWATCH_DORADO
    model: str = "hac"  # POREWATCH_BASECALL_MODEL: fast, hac, sup[@version], or a folder
    device: str = "auto"  # POREWATCH_BASECALL_DEVICE: auto, cpu, cuda:all, cuda:0,...
    models_folder: Path | None = None  # POREWATCH_BASECALL_MODELS
    gpu_required: bool = False  # POREWATCH_GPU_REQUIRED=1


class WorkerSettings(Model):
    """`beat_s`, `watch_s` and `grace_s` are seconds between heartbeats, between checks of the
    instance metadata, and for the current unit after a notice (AWS gives 120 s in all);
    `mean_to_interrupt_s` sets the checkpoint interval. The file `alive` is touched while there was
    progress within `stalled_s`: without touches the instance shuts itself down. `unit_reads`: reads
    of a unit, overriding the order. `patience_s`: seconds for which a call of an unavailable
    service is retried, if 90 min are too long. `references_bucket`: source of bundles that
    `references` does not hold. `broker`: the function that gives credentials for one run; a stack
    of before there was one names none, and works under the machine's own. `credentials_s`: seconds
    after which those are given up, if not their hour."""

    stack: str
    ledger_table: str
    raw_bucket: str
    results_bucket: str
    worker_queue_url: str
    broker: str = ""
    credentials_s: float | None = None
    references: Path = Path("/mnt/references")
    references_bucket: str = ""
    metadata: str = METADATA
    scratch: Path
    beat_s: float = 60.0
    watch_s: float = 5.0
    grace_s: float = 60.0
    mean_to_interrupt_s: float = MEAN_TO_INTERRUPT_S
    alive: Path | None = None
    stalled_s: float = 3600.0
    unit_reads: int | None = None
    patience_s: float | None = None
    basecaller: BasecallerSettings = BasecallerSettings()
    assignment: dict[str, str] = {}


_NAMES = {
    "stack": "POREWATCH_STACK",
    "ledger_table": "LEDGER_TABLE",
    "raw_bucket": "RAW_BUCKET",
    "results_bucket": "RESULTS_BUCKET",
    "worker_queue_url": "WORKER_QUEUE_URL",
    "broker": "POREWATCH_CREDENTIAL_BROKER",
    "credentials_s": "POREWATCH_CREDENTIALS_SECONDS",
    "references": "REFERENCES_PATH",
    "references_bucket": "REFERENCES_BUCKET",
    "metadata": "AWS_EC2_METADATA_SERVICE_ENDPOINT",
    "scratch": "POREWATCH_SCRATCH",
    "beat_s": "POREWATCH_BEAT_SECONDS",
    "watch_s": "POREWATCH_WATCH_SECONDS",
    "grace_s": "POREWATCH_GRACE_SECONDS",
    "mean_to_interrupt_s": "POREWATCH_MEAN_TO_INTERRUPT_SECONDS",
    "alive": "POREWATCH_ALIVE",
    "stalled_s": "POREWATCH_STALLED_SECONDS",
    "unit_reads": "POREWATCH_UNIT_READS",
    "patience_s": "POREWATCH_PATIENCE_SECONDS",
}
_ASSIGNMENT_NAMES = {
    "run_id": "POREWATCH_RUN",
    "revision": "POREWATCH_REVISION",
    "stage": "POREWATCH_STAGE",
    "epoch": "POREWATCH_EPOCH",
    "instance_id": "AWS_BATCH_JOB_ID",
    "secret": "POREWATCH_SECRET",
}
_BASECALLER_NAMES = {
    "program": "POREWATCH_DORADO",
    "model": "POREWATCH_BASECALL_MODEL",
    "device": "POREWATCH_BASECALL_DEVICE",
    "models_folder": "POREWATCH_BASECALL_MODELS",
    "gpu_required": "POREWATCH_GPU_REQUIRED",
}


def read_basecaller(environment: Mapping[str, str] | None = None) -> BasecallerSettings:
    """The basecaller's part of the environment."""
    there = _present(_BASECALLER_NAMES, os.environ if environment is None else environment)
    return BasecallerSettings.model_validate(there)


def read_settings(environment: Mapping[str, str] | None = None) -> WorkerSettings:
    """The whole environment. Raises ConfigurationRefused naming the variables that do not fit."""
    source = os.environ if environment is None else environment
    there: dict[str, object] = {"scratch": Path(tempfile.gettempdir()) / "porewatch"}
    there |= _present(_NAMES, source)
    if source.get(_ASSIGNMENT_NAMES["run_id"]):
        there["assignment"] = _present(_ASSIGNMENT_NAMES, source)
    try:
        return WorkerSettings.model_validate({**there, "basecaller": read_basecaller(source)})
    except ValidationError as e:
        wrong = sorted({_NAMES.get(str(p["loc"][0]), str(p["loc"][0])) for p in e.errors()})
        raise ConfigurationRefused(
            f"the worker's environment lacks, or has no usable value for: {', '.join(wrong)}.",
            remedy="the launch template (user-data) or the job definition sets them; deploy the "
            "stack again.",
        ) from e


def cores() -> int:
    """Cores that this process may use; on macOS, all cores."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _present(names: Mapping[str, str], source: Mapping[str, str]) -> dict[str, object]:
    return {field: source[name] for field, name in names.items() if source.get(name)}
