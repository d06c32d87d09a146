"""S3 keys. The only module that knows the shape of a key."""

from __future__ import annotations

import re
from hashlib import sha256

from porewatch.domain.errors import MessageRefused
from porewatch.domain.runs import RUN_ID_PATTERN

SEAL = "run.json"
SUMMARY = "final_summary"
"""How the names of MinKNOW's final summaries begin."""
BOOT_LOG = "boot.log"
"""What a machine printed when its worker ended badly or never began. The user-data of template.yaml
sends it to the credential broker."""
CONSOLE_LOG = "console.log"
"""What a machine's console showed, kept by the control plane when the machine sent no boot log."""
QUARANTINE = "quarantine/"
MANIFESTS = "manifests/"
SIGNED = "signed/"
"""Below the reports of a revision: the copies with their signatures."""


def raw_key(run_id: str, path: str) -> str:
    """An input file: `path` is relative to the run, e.g. `fastq/a.fastq.gz`.

    >>> raw_key('run-1', 'fastq/a.fastq.gz')
    'runs/run-1/fastq/a.fastq.gz'
    """
    return f"runs/{run_id}/{path}"


def seal_key(run_id: str) -> str:
    return raw_key(run_id, SEAL)


def sealed_manifest_key(run_id: str, digest: str) -> str:
    """A sealed manifest in the raw bucket. Outside `runs/`: only who seals may write here."""
    return f"{manifest_prefix(run_id)}{digest}.json"


def manifest_prefix(run_id: str) -> str:
    return f"{MANIFESTS}{run_id}/"


def quarantine_key(key: str) -> str:
    return f"{QUARANTINE}{key}"


def lies_in_a_run(key: str) -> bool:
    """Below `runs/<something>/`, whether or not that can be a run's id.

    >>> lies_in_a_run('runs/run-1/run.json'), lies_in_a_run('inbox/run-1.tar')
    (True, False)
    """
    top, _, rest = key.partition("/")
    return top == "runs" and "/" in rest


def split_raw_key(key: str) -> tuple[str, str]:
    """`runs/{run_id}/{path}` -> (run_id, path). Raises MessageRefused for anything else.

    >>> split_raw_key('runs/run-1/fastq/a.fastq.gz')
    ('run-1', 'fastq/a.fastq.gz')
    """
    parts = key.split("/", 2)
    if len(parts) != 3 or parts[0] != "runs" or not parts[2]:
        raise MessageRefused(f"{key!r} is not below runs/<run id>/.")
    if not re.fullmatch(RUN_ID_PATTERN, parts[1]):
        raise MessageRefused(
            f"{parts[1]!r} is not a run id.",
            file=key,
            remedy="use 1 to 63 letters, digits, '-' or '_', starting with a letter or digit.",
        )
    return parts[1], parts[2]


def stage_prefix(run_id: str, revision: int, stage: str) -> str:
    return f"runs/{run_id}/r{revision}/{stage}/"


def order_key(run_id: str, revision: int, stage: str) -> str:
    return stage_prefix(run_id, revision, stage) + "order.json"


def attempt_prefix(run_id: str, revision: int, stage: str, epoch: int, user_id: str) -> str:
    """All that one machine may write. `user_id`: `aws:userid` of its credentials, the last part of
    the prefix: its role lets a machine write below no other (docs/adr/0010)."""
    return epoch_prefix(run_id, revision, stage, epoch) + f"{user_id}/"


def epoch_of_attempt(attempt: str) -> int:
    """The epoch that an attempt's prefix names.

    >>> epoch_of_attempt(attempt_prefix('run-1', 0, 'screen', 3, 'AROA:i-1'))
    3
    """
    return int(attempt.rstrip("/").rsplit("/", 2)[1].removeprefix("e"))


def checkpoint_prefix(attempt: str, fingerprint: str) -> str:
    return f"{attempt}checkpoint/{fingerprint[:16]}/"


def outputs_prefix(attempt: str) -> str:
    """Parts of an attempt: invisible until the stage manifest names them."""
    return f"{attempt}outputs/"


def draft_key(attempt: str) -> str:
    """The manifest draft that the worker wrote; read only to publish it."""
    return f"{attempt}manifest.json"


def log_key(attempt: str) -> str:
    return f"{attempt}worker.log"


def epoch_prefix(run_id: str, revision: int, stage: str, epoch: int) -> str:
    """Prefix of everything that was written for one epoch, by any instance."""
    return stage_prefix(run_id, revision, stage) + f"e{epoch}/"


def boot_log_key(run_id: str, revision: int, stage: str, epoch: int, machine: str) -> str:
    """Below the machine's id, which is no user id: no machine can write there."""
    return epoch_prefix(run_id, revision, stage, epoch) + f"{machine}/{BOOT_LOG}"


def console_key(run_id: str, revision: int, stage: str, epoch: int, machine: str) -> str:
    """Beside its boot log."""
    return epoch_prefix(run_id, revision, stage, epoch) + f"{machine}/{CONSOLE_LOG}"


def boot_log_of(key: str) -> tuple[int, str] | None:
    """(epoch, whose it is) of the key of a boot log or a console's; None for any other key."""
    *_, epoch, who, name = ("", "", *key.split("/"))
    if name not in (BOOT_LOG, CONSOLE_LOG) or not re.fullmatch(r"e[0-9]{1,9}", epoch):
        return None
    return int(epoch[1:]), who


def manifest_key(run_id: str, revision: int, stage: str) -> str:
    """The stage's manifest, visible: written by the control plane alone, once."""
    return stage_prefix(run_id, revision, stage) + "manifest.json"


def results_key(run_id: str, revision: int) -> str:
    """What all stages found, joined: in the results bucket."""
    return f"runs/{run_id}/r{revision}/results.json"


def report_key(run_id: str, revision: int, name: str) -> str:
    """`name` is `report.json`, `report.html`, `report.ja.pdf`, ..., in the reports bucket."""
    return f"runs/{run_id}/r{revision}/{name}"


def signed_prefix(run_id: str, revision: int) -> str:
    """Of the copies of a revision's report that have its signatures."""
    return report_key(run_id, revision, SIGNED)


def signed_key(run_id: str, revision: int, version: str, name: str) -> str:
    """Of one of them, as this version of Porewatch printed it: another one may print other
    bytes."""
    return f"{signed_prefix(run_id, revision)}{version}/{name}"


def sums_key(run_id: str, revision: int) -> str:
    """Digests of a revision's reports, beside them, as `sha256sum --check` reads them."""
    return report_key(run_id, revision, "SHA256SUMS")


def states_key(run_id: str, revision: int) -> str:
    """How each pathogen stands in each sample (`domain.results.sample_states`), beside the
    reports."""
    return report_key(run_id, revision, "samples.json")


def projection_key(run_id: str, revision: int) -> str:
    """What the registry shows of a revision (`domain.facts.registry_projection`), beside its
    reports."""
    return report_key(run_id, revision, "registry.json")


def early_key(run_id: str, path: str, etag: str) -> str:
    """Counts of a file that was screened as it landed, in the results bucket. `path` may hold any
    character, so its digest stands for it."""
    digest = sha256(path.encode()).hexdigest()[:32]
    return f"runs/{run_id}/early/{digest}-{etag}.counts"


def signature_key(run_id: str, number: int, fingerprint: str, suffix: str) -> str:
    """A copy of a signature, in the reports bucket: `suffix` is `json` or `html`."""
    return f"{signatures_prefix(run_id)}{number:04d}-{fingerprint}.{suffix}"


def signatures_prefix(run_id: str) -> str:
    """Of the copies of a run's signatures."""
    return f"signatures/{run_id}/"
