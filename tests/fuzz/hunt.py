"""Mutant after mutant of one format, judged in a process that may die of it.

The process says the number of each mutant before it judges it. When it dies, hangs or needs more
memory than it may, the one that watches knows which mutant it was, keeps it, and goes on behind it.
Equal findings are kept once.
"""

from __future__ import annotations

import json
import os
import resource
import select
import signal
import tempfile
import time
import traceback
import warnings
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, NoReturn

from porewatch.reads.sandbox import parent
from tests.fuzz.formats import FORMATS, SOUND, Format

LONGEST_S = 30.0
MOST_MEMORY = 256 * 2**20
"""Bytes that judging a mutant of some kilobytes may take beside what is loaded; files of reads are
judged in a box, which has limits of its own."""
FORESEEN = frozenset(
    {"InputRefused", "NoReadsInside", "ManifestRefused", "SampleSheetRefused", "SeveralRefused"}
    | {"LaboratoryRefused", "BundleRefused", "MessageRefused", SOUND}
)


@dataclass
class Hunt:
    """`verdicts`: how often each; `found`: what went wrong -> number of the first such mutant."""

    format: str
    begun: int
    mutants: int = 0
    verdicts: Counter[str] = field(default_factory=Counter)
    found: dict[str, int] = field(default_factory=dict)

    def sentence(self) -> str:
        told = ", ".join(f"{name} {n:,}" for name, n in self.verdicts.most_common())
        last = f"{len(self.found)} findings" if self.found else "no finding"
        return f"{self.format}: {self.mutants:,} mutants from {self.begun}: {told}; {last}"


def hunt(name: str, *, begin: int, seconds: float | None = None, most: int | None = None) -> Hunt:
    """Judge mutants from number `begin` on, for so many seconds or so many of them."""
    result = Hunt(name, begin)
    until = time.monotonic() + seconds if seconds is not None else None
    number = begin
    while not _over(result, until, most):
        number = _one_process(result, number, until, most)
    return result


def _over(result: Hunt, until: float | None, most: int | None) -> bool:
    late = until is not None and time.monotonic() >= until
    return late or (most is not None and result.mutants >= most)


def _one_process(result: Hunt, number: int, until: float | None, most: int | None) -> int:
    """Until it dies or the hunt is over; the number of the next mutant."""
    reading, writing = os.pipe()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # other threads hold no locks of ours
        child = os.fork()
    if child == 0:
        try:
            os.close(reading)
            _judge_on(FORMATS[result.format], number, writing)
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(1)  # nothing of the one that watches is done twice
    os.close(writing)
    with os.fdopen(reading, "rb") as said:
        number, problem = _heard(result, number, said, until, most)
    os.killpg(child, signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    if problem:
        how = os.waitstatus_to_exitcode(status)
        told = (
            f"{problem} ({signal.Signals(-how).name})" if problem == DIED and how < 0 else problem
        )
        result.found.setdefault(told, number)
        result.mutants += 1
        number += 1
    return number


DIED = "it ends the process"


def _heard(
    result: Hunt, number: int, said: IO[bytes], until: float | None, most: int | None
) -> tuple[int, str]:
    """(number of the mutant it stopped at, what that one did; nothing when the hunt is over)."""
    while not _over(result, until, most):
        if not select.select([said], [], [], LONGEST_S)[0]:
            return number, f"it takes longer than {LONGEST_S:.0f} s"
        line = said.readline()
        if not line:
            return number, DIED
        verdict, problem = json.loads(line)
        result.mutants += 1
        if problem:
            result.found.setdefault(problem, number)
        else:
            result.verdicts[verdict] += 1
        number += 1
    return number, ""


def _judge_on(format: Format, number: int, writing: int) -> NoReturn:
    """In the child: one line for each mutant, until it is killed."""
    os.setpgid(0, 0)
    parent.idle.forget()
    with tempfile.TemporaryDirectory(prefix="fuzz-") as folder:
        path = Path(folder) / format.name
        path.write_bytes(format.seeds()[0])
        assert format.judge(path) == SOUND, "the seed itself is refused"
        _limit_memory()
        while True:
            path.write_bytes(format.mutant(number))
            said = json.dumps(judged(format, path)).encode() + b"\n"
            os.write(writing, said)
            number += 1


def judged(format: Format, path: Path) -> tuple[str, str]:
    """(verdict, what is wrong with it: nothing when it was foreseen)."""
    try:
        verdict = format.judge(path)
    except Exception as e:
        where = traceback.extract_tb(e.__traceback__)[-1]
        return "", f"{type(e).__name__} in {Path(where.filename).name}:{where.name}: {e}"[:200]
    if verdict in FORESEEN | format.foreseen:
        return verdict, ""
    return verdict, f"the verdict {verdict}"


def _limit_memory() -> None:
    told = Path("/proc/self/status").read_text("ascii").splitlines()
    held = next(int(line.split()[1]) for line in told if line.startswith("VmData:")) * 1024
    _, hard = resource.getrlimit(resource.RLIMIT_DATA)
    resource.setrlimit(resource.RLIMIT_DATA, (held + MOST_MEMORY, hard))
