"""Bad input, put straight into the bucket: one clear message, nothing lost, nothing launched.

The command line refuses all of this before it uploads anything (tests/cli); here it comes past it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from typing import Any

import pytest

from porewatch.domain import s3_keys
from porewatch.domain.base import now
from porewatch.domain.calls.findings import Call
from porewatch.domain.errors import NotFound
from porewatch.domain.facts.stage_facts import InstanceLaunched, InstanceTerminated
from porewatch.domain.records.file_record import FileState
from porewatch.domain.records.run_record import RunRecord
from tests.cloud import test_interruption
from tests.cloud.lab import Lab, found
from tests.cloud.making import wait_for
from tests.cloud.spoiled import BAD_FILES, BAD_MANIFESTS, BAD_TARS, GOOD_PATH, READS, tar_of
from tests.cloud.test_interruption import UNTOUCHED

pytestmark = [pytest.mark.cloud, pytest.mark.xdist_group("end to end")]
NEIGHBOUR, SHORT_READS = UNTOUCHED, "short-reads"
ALWAYS = ("truncated gzip", "bam without sequence", "signal cut short", "wrong checksum",
          "path out of the run", "parent folder", "barcode that is none", "rün")  # fmt: skip
"""Kinds that are sent in every session; the others are slow, and have fast siblings in
tests/functional and tests/cli."""
ODD_NAMES = ("my run!", "rün", "-x")
Listed = dict[str, dict[str, Any]]


def cases(kinds: Iterable[str]) -> list[Any]:
    return [k if k in ALWAYS else pytest.param(k, marks=pytest.mark.slow) for k in kinds]


def sent(lab: Lab) -> list[str]:
    """The bad runs of this session."""
    return [c for c in (*BAD_FILES, *BAD_MANIFESTS, *BAD_TARS) if c in lab.selected]


def named(case: str) -> str:
    return f"bad-{case.replace(' ', '-')}"


def send_runs(lab: Lab) -> None:
    test_interruption.send(lab, NEIGHBOUR)  # it must be under way
    for case in sent(lab):
        lab.later(send_bad, lab, case)
    for odd in lab.selected.intersection(ODD_NAMES):
        lab.put(f"runs/{odd}{lab.tag}/{GOOD_PATH}", READS)
        lab.put(f"inbox/{odd}{lab.tag}.tar", READS)
    read = b"@r%d\n" + b"ACGTT" * 30 + b"\n+\n" + b"I" * 150 + b"\n"
    send(lab, SHORT_READS, {"fastq/short.fastq": b"".join(read % n for n in range(50))})


def send(lab: Lab, what: str, files: dict[str, bytes]) -> None:
    lab.put_files(lab.run_id(what), files)
    lab.put_seal(lab.run_id(what), manifest(lab.run_id(what), files))


def manifest(run_id: str, files: dict[str, bytes]) -> dict[str, Any]:
    """`run.json` as a program that checks nothing may write it."""
    listed = [
        {"path": path, "kind": path.split("/", 1)[0], "size": len(content)}
        for path, content in files.items()
    ]
    return {
        "run_id": run_id,
        "created_at": now().isoformat(),
        "files": listed,
        "samples": [{"name": "pig-7"}],
    }


def send_bad(lab: Lab, case: str) -> None:
    if case in BAD_FILES:
        send_bad_file(lab, case)
    elif case in BAD_MANIFESTS:
        send_bad_manifest(lab, case)
    else:
        lab.put(f"inbox/{lab.run_id(named(case))}.tar", tar_of(BAD_TARS[case]))


def send_bad_file(lab: Lab, case: str) -> None:
    bad = BAD_FILES[case]
    send(lab, named(case), {GOOD_PATH: READS, bad.path: bad.content()})


def send_bad_manifest(lab: Lab, case: str) -> None:
    run_id = lab.run_id(named(case))
    content = manifest(run_id, {GOOD_PATH: READS})
    BAD_MANIFESTS[case].spoil(content)
    lab.put_files(run_id, {GOOD_PATH: READS})
    if case == "signal without basecalling":
        lab.put_files(run_id, {"pod5/signal.pod5": b"too short"})
    lab.put_seal(run_id, content)


def contains(phrases: tuple[str, ...], text: str | None) -> bool:
    """All of the phrases, in their order."""
    return re.search(".*".join(map(re.escape, phrases)), text or "", re.DOTALL) is not None


@pytest.fixture(scope="module")
def listed(lab: Lab) -> Listed:
    """Output of `porewatch list --json` when all of this module's runs have ended: by run id."""
    for what in (*map(named, sent(lab)), SHORT_READS, NEIGHBOUR):
        lab.ended(lab.run_id(what))
    runs = json.loads(lab.command("list", "--json").stdout)
    return {run["run_id"]: run for run in runs}


def refused(lab: Lab, listed: Listed, case: str, phrases: tuple[str, ...]) -> RunRecord:
    """The refused run, when its message is where people look, and nothing was launched for it."""
    run = lab.refused(lab.run_id(named(case)))
    assert contains(phrases, run.problem), run.problem
    shown = listed[run.run_id]["attempt"] or listed[run.run_id]
    assert (shown["state"], shown["problem"]) == ("refused", run.problem)
    (notice,) = lab.wait_messages(run.run_id, "RunRefused")
    assert contains(phrases, notice.body), notice.body
    assert lab.launched_nothing(run.run_id)
    return run


@pytest.mark.parametrize("case", cases(BAD_FILES))
def test_a_bad_file_is_named_and_set_aside(lab: Lab, listed: Listed, case: str) -> None:
    bad = BAD_FILES[case]
    run = refused(lab, listed, case, bad.run_phrases or bad.phrases)
    key, raw = s3_keys.raw_key(run.run_id, bad.path), lab.stack.bucket("Raw")
    kept = s3_keys.quarantine_key(key)
    wait_for(lambda: raw.head(kept), 60, f"{kept}")
    assert raw.get(kept) == bad.content()
    wait_for(lambda: raw.head(key) is None, 30, f"the move of {key}")
    assert raw.get(s3_keys.raw_key(run.run_id, GOOD_PATH)) == READS
    files = {file.path: file for file in lab.ended(run.run_id).files}
    assert files[bad.path].state is FileState.QUARANTINED
    assert contains(bad.phrases, files[bad.path].problem), files[bad.path].problem
    assert files[bad.path].quarantine_key == kept
    (notice,) = lab.wait_messages(run.run_id, "FileQuarantined")
    assert contains(bad.phrases, notice.body) and kept in notice.body


@pytest.mark.parametrize("case", cases(BAD_MANIFESTS))
def test_a_bad_manifest_is_refused_and_the_sound_files_stay(
    lab: Lab, listed: Listed, case: str
) -> None:
    run = refused(lab, listed, case, BAD_MANIFESTS[case].phrases)
    raw = lab.stack.bucket("Raw")
    assert raw.get(s3_keys.raw_key(run.run_id, GOOD_PATH)) == READS
    assert raw.head(s3_keys.seal_key(run.run_id)) is not None


@pytest.mark.parametrize("case", cases(BAD_TARS))
def test_a_bad_tar_is_set_aside_whole_and_leaves_nothing_behind(
    lab: Lab, listed: Listed, case: str
) -> None:
    run = refused(
        lab, listed, case, (f"inbox/{lab.run_id(named(case))}.tar", *BAD_TARS[case].phrases)
    )
    raw, kept = lab.stack.bucket("Raw"), f"quarantine/inbox/{run.run_id}.tar"
    wait_for(lambda: raw.head(kept), 30, f"{kept}")
    assert raw.get(kept) == tar_of(BAD_TARS[case])
    assert contains(BAD_TARS[case].phrases, raw.get(f"{kept}.reason.txt").decode())
    wait_for(lambda: raw.head(f"inbox/{run.run_id}.tar") is None, 30, "the move of the tar")
    assert list(raw.keys(f"runs/{run.run_id}/")) == []


@pytest.mark.parametrize("odd", cases(ODD_NAMES))
def test_an_odd_run_id_sends_a_notice_and_starts_nothing(lab: Lab, odd: str) -> None:
    run_id, raw = f"{odd}{lab.tag}", lab.stack.bucket("Raw")
    keys = (f"runs/{run_id}/{GOOD_PATH}", f"inbox/{run_id}.tar")
    for key in keys:
        wait_for(lambda k=key: notices_of(lab, k), 60, f"a notice about {key}")  # type: ignore[misc]
        (notice,) = notices_of(lab, key)
        assert contains(("is not a run id", "Remedy: "), notice), notice
    assert raw.get(keys[0]) == READS
    wait_for(lambda: raw.head(f"quarantine/{keys[1]}"), 30, "the tar in quarantine")
    with pytest.raises(NotFound):
        lab.stack.runs.get(run_id)
    assert lab.executions(run_id) == []


def notices_of(lab: Lab, key: str) -> list[str]:
    return [
        message.body
        for message in lab.messages("", "ObjectRefused")
        if f"Object: {key}\n" in message.body
    ]


def test_reads_that_are_all_too_short_end_the_run_with_the_numbers(
    lab: Lab, listed: Listed
) -> None:
    run = lab.refused(lab.run_id(SHORT_READS))
    assert contains(("No read passed quality control", "50 too short", "Remedy: "), run.problem), (
        run.problem
    )
    assert listed[run.run_id]["problem"] == run.problem
    (notice,) = lab.wait_messages(run.run_id, "RunRefused")
    assert run.problem and run.problem in notice.body
    launched = {fact.instance_id for fact in lab.facts(run.run_id, InstanceLaunched)}
    ended = {fact.instance_id for fact in lab.facts(run.run_id, InstanceTerminated)}
    assert len(launched) == 1 and ended == launched
    assert lab.machines(run.run_id) == []
    assert lab.stack.bucket("Raw").head(s3_keys.raw_key(run.run_id, "fastq/short.fastq"))


def test_a_neighbour_under_way_meanwhile_is_not_touched(lab: Lab) -> None:
    ends = [lab.refused(lab.run_id(named(case))).updated_at for case in sent(lab)]
    run = lab.completed(lab.run_id(NEIGHBOUR)).run
    assert run.completed_at and min(ends) < run.completed_at and run.created_at < max(ends)
    report = lab.findings(run)
    assert {"PCV2", "HEV"} <= found(report, Call.DETECTED) | found(report, Call.INDETERMINATE)
    assert all(screen.account.balanced for screen in report.screens)
    assert (
        lab.messages(run.run_id, "FileQuarantined") == lab.messages(run.run_id, "RunRefused") == []
    )
    assert lab.dead_letters(run.run_id) == []
