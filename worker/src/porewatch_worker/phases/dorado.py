"""Run dorado, Oxford Nanopore's basecaller: find it, read its version, call one file.

Contract (dorado 1.x, `dorado basecaller --help`): `dorado basecaller MODEL DATA [--device D]
[--models-directory DIR] [--kit-name KIT]` writes unaligned BAM to stdout, progress and faults to
stderr, and exits 0 or 1; `dorado --version` writes the version to stderr. Every error exits 1, so
its text determines the kind of error.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import tempfile
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from porewatch.domain.errors import (
    BasecallerMissing,
    ConfigurationRefused,
    InputRefused,
    PorewatchError,
    Unavailable,
    WorkerFailed,
)
from porewatch_worker.settings import BasecallerSettings

TAIL_LINES = 12
INSTALL = (
    "put dorado on the machine's PATH (or name it in POREWATCH_DORADO) and use an instance with a "
    "GPU, or send basecalled reads (FASTQ or BAM)."
)
GPU_DEVICES = Path("/dev")

_NO_GPU = re.compile(
    r"no CUDA GPUs are available|CUDA device requested but no devices found"
    r"|Invalid CUDA device|0 visible CUDA devices|no kernel image is available"
    r"|Invalid device string|CUDA driver",
    re.IGNORECASE,
)
_NO_MODEL = re.compile(
    r"Model path does not exist|Failed to (?:download|find) .*model|could not .*model"
    r"|model.*(?:is invalid|not found)|Unknown model|valid barcode kit name",
    re.IGNORECASE,
)
_BAD_FILE = re.compile(
    r"Failed to load pod5|No POD5 data|No reads found|Failed to (?:open|query|read) .*"
    r"|Sample rate for model|sequencing chemistr",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Dorado:
    """A dorado that is here and answers."""

    program: Path
    version: str
    settings: BasecallerSettings

    @classmethod
    def find(cls, settings: BasecallerSettings) -> Dorado:
        """Raises BasecallerMissing when dorado is missing or does not run, or the required GPU is
        missing."""
        found = shutil.which(settings.program)
        if found is None:
            raise BasecallerMissing(
                f"raw signal was sent, and there is no {settings.program!r} here to basecall it.",
                remedy=INSTALL,
            )
        _require_gpu(settings)
        return cls(Path(found), _version(Path(found)), settings)

    def command(self, signal: Path, kit: str | None) -> list[str]:
        settings = self.settings
        line = [str(self.program), "basecaller", settings.model, str(signal)]
        line += ["--device", settings.device]
        if settings.models_folder is not None:
            line += ["--models-directory", str(settings.models_folder)]
        if kit is not None:
            line += ["--kit-name", kit]
        return line

    def call(
        self,
        signal: Path,
        bam: Path,
        *,
        name: str,
        kit: str | None = None,
        stopped: Callable[[], bool] = lambda: False,
    ) -> None:
        """Basecall one POD5 file into `bam`. `name`: the file's name in messages.

        `stopped` is polled: when it is true, dorado is terminated and Unavailable raised.
        """
        with bam.open("wb") as out, tempfile.TemporaryFile() as faults:
            code = _run(self.command(signal, kit), out, faults, stopped)
            tail = _tail(faults)
        if code is None:
            raise Unavailable("basecalling was stopped.", file=name)
        if code != 0:
            raise _why(code, tail, name)


def _run(
    command: list[str], out: IO[bytes], faults: IO[bytes], stopped: Callable[[], bool]
) -> int | None:
    """The exit code, or None when it was stopped."""
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=out, stderr=faults) as process:
        never = threading.Event()
        while process.poll() is None:
            if stopped():
                process.terminate()
                try:
                    process.wait(10)
                except subprocess.TimeoutExpired:
                    process.kill()
                return None
            never.wait(0.1)
        return process.returncode


def _require_gpu(settings: BasecallerSettings) -> None:
    required = settings.gpu_required or settings.device.startswith("cuda")
    if required and not any(GPU_DEVICES.glob("nvidia[0-9]*")):
        raise BasecallerMissing(
            f"basecalling needs a GPU (device {settings.device!r}), and this machine has none.",
            remedy=INSTALL,
        )


def _version(program: Path) -> str:
    try:
        answer = subprocess.run(
            [program, "--version"], capture_output=True, text=True, timeout=120, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as e:
        raise BasecallerMissing(f"{program} does not run: {e}.", remedy=INSTALL) from e
    lines = (answer.stderr + answer.stdout).strip().splitlines()
    if answer.returncode != 0 or not lines:
        raise BasecallerMissing(
            f"{program} --version exits {answer.returncode}: {' '.join(lines[-3:])}",
            remedy=INSTALL,
        )
    return lines[-1].strip()


def _tail(faults: IO[bytes]) -> str:
    end = faults.seek(0, 2)
    faults.seek(max(0, end - 8192))
    lines = faults.read().decode(errors="replace").replace("\r", "\n").splitlines()
    return "\n".join([line for line in lines if line.strip()][-TAIL_LINES:])


def _why(code: int, tail: str, name: str) -> PorewatchError:
    output = f"Output of dorado:\n{tail}"
    if code < 0:
        return WorkerFailed(f"dorado was killed by signal {-code}. {output}", file=name)
    if _NO_GPU.search(tail):
        return BasecallerMissing(f"dorado found no GPU it can use. {output}", remedy=INSTALL)
    if _BAD_FILE.search(tail):
        return InputRefused(
            f"dorado cannot basecall this file. {output}",
            file=name,
            remedy="check it with `pod5 inspect`, and that the model fits its chemistry.",
        )
    if _NO_MODEL.search(tail):
        return ConfigurationRefused(
            f"dorado lacks the model or kit that was requested. {output}",
            remedy="download the model into POREWATCH_BASECALL_MODELS: dorado download --model ...",
        )
    return WorkerFailed(f"dorado exits {code}. {output}", file=name)
