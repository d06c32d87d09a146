"""Notices about runs: which file or sample, what is wrong, what to do, where to look.

`notice_of` is pure: the same fact gives the same text, so a notice can be compared and tested.
"""

from __future__ import annotations

from collections.abc import Callable

from porewatch.domain.facts.alert_facts import AboutAlert, PathogenSuspected
from porewatch.domain.facts.fact import Fact
from porewatch.domain.facts.run_facts import (
    FileQuarantined,
    ObjectAnswered,
    RunCancelled,
    RunCompleted,
    RunFailed,
    RunRefused,
    RunStands,
)
from porewatch.domain.facts.stage_facts import LaunchRefused, StageStalled
from porewatch.domain.notices.alert_notices import notice_of_alert
from porewatch.domain.notices.notice import (
    Notice,
    notice_about,
)
from porewatch.domain.notices.result_notice import result
from porewatch.domain.notices.retention_notices import notice_of_ending
from porewatch.domain.results.publishing import is_of_sample
from porewatch.domain.stage.retry_policy import meaning_of
from porewatch.domain.visible import visible, visible_model

Link = Callable[[str], str]
"""Key in the reports bucket -> a link that opens it for a while."""


def notice_of(fact: Fact, link: Link) -> tuple[str, Notice] | None:
    """(idempotency key, notice), or None for facts without a notice."""
    fact = visible_model(fact)
    match fact:
        case PathogenSuspected() | AboutAlert():
            return notice_of_alert(fact)
        case RunCompleted():
            return fact.fact_id, _completed(fact, link)
        case RunFailed() | RunRefused():
            return fact.fact_id, _ended(fact)
        case FileQuarantined():
            return fact.fact_id, _quarantined(fact)
        case _:
            return _of_people(fact) or _of_stage(fact)


def _of_people(fact: Fact) -> tuple[str, Notice] | None:
    """Facts about what people did, or sent."""
    match fact:
        case ObjectAnswered(act=True):
            return fact.fact_id, _answered(fact)
        case RunCancelled():
            return fact.fact_id, _cancelled(fact)
        case RunStands():
            return fact.fact_id, _stands(fact)
    return notice_of_ending(fact)


def _of_stage(fact: Fact) -> tuple[str, Notice] | None:
    match fact:
        case StageStalled():
            return fact.fact_id, _stalled(fact)
        case LaunchRefused(error="QuotaExceeded"):
            return f"{fact.run_id}:{fact.revision}:{fact.stage}:quota", _over_quota(fact)
    return None


def unreadable(key: str, problem: str) -> Notice:
    """An object that belongs to no run we can name."""
    body = (
        f"An object was sent that cannot belong to a run.\n\nObject: {visible(key)}\n"
        f"Problem: {visible(problem)}\n\nNothing was started. Send it again under a proper run id; "
        "the object itself was not deleted.\n"
    )
    return Notice(kind="ObjectRefused", subject="An object was refused: odd name", body=body)


def stray(key: str, problem: str, remedy: str) -> Notice:
    """An object outside of every run."""
    body = (
        f"An object was sent that belongs to no run.\n\nObject: {visible(key)}\n"
        f"Problem: {visible(problem)}\n\nWhat to do: {visible(remedy)}\n"
        "Nothing was started, and the object was not deleted. More objects "
        "of this kind in this folder give no further notice.\n"
    )
    return Notice(kind="ObjectRefused", subject="An object belongs to no run", body=body)


def _answered(fact: ObjectAnswered) -> Notice:
    body = (
        f"Files of run {fact.run_id} cannot be read.\n\n"
        f"The first of them: {fact.path}\nProblem: {fact.problem}\n\n"
        f"What to do: {fact.remedy}\nMore files of this kind give no further notice.\n"
    )
    return notice_about(fact, f"Files of run {fact.run_id} cannot be read", body)


def _stands(fact: RunStands) -> Notice:
    since = f"{fact.since:%Y-%m-%d %H:%M}Z"
    if fact.clock == "receiving":
        subject = f"No more files come for run {fact.run_id}"
        state = f"{fact.count} file(s) were checked, the last of them by {since}. It is not sealed."
        remedy = f"send the rest and seal it (porewatch submit), or: porewatch delete {fact.run_id}"
    else:
        subject = f"Run {fact.run_id} waits for files that are not checked"
        names = "\n".join(f"  {name}" for name in fact.files)
        more = fact.count - len(fact.files)
        state = f"It was sealed at {since}. Not checked yet: {fact.count} file(s).\n{names}"
        state += f"\n  and {more} more" if more > 0 else ""
        remedy = "docs/runbooks/queue-age.md; porewatch redrive when they lie among dead letters"
    body = f"{subject}.\n\n{state}\n\nWhat to do: {remedy}.\nNothing was stopped.\n"
    return notice_about(fact, subject, body)


def _completed(fact: RunCompleted, link: Link) -> Notice:
    head, found = result(fact.verdict)
    body = (
        f"Run {fact.run_id} (revision {fact.revision}) is finished.\n\n{found}\n"
        f"Cost: {fact.cost_usd:.4f} USD.\n\n{_links(fact, link)}\n\n"
        "The links open for a short while only; "
        f"`porewatch report {fact.run_id}` makes new ones.\n"
    )
    return notice_about(fact, f"{head}: run {fact.run_id}", body)


def _links(fact: RunCompleted, link: Link) -> str:
    """Links to the run's own reports: a link takes 1 kB, and SNS accepts 256 kB."""
    single = sum(map(is_of_sample, fact.report_keys))
    lines = [
        f"{name}: {link(key)}"
        for name, key in sorted(fact.report_keys.items())
        if not is_of_sample(name)
    ]
    if single:
        lines.append(
            f"{single} reports of single samples lie beside them: "
            f"`porewatch report {fact.run_id} --out FOLDER` fetches them."
        )
    return "\n".join(lines)


def _ended(fact: RunFailed | RunRefused) -> Notice:
    refused = isinstance(fact, RunRefused)
    how = "was refused" if refused else "failed"
    where = f" in stage {fact.stage}" if isinstance(fact, RunFailed) and fact.stage else ""
    advice = (
        "Correct the input and seal the run again (porewatch submit); files that were sound stay, "
        "a run that receives files goes on, and no other revision is touched."
        if refused
        else f"Look at the log (porewatch logs {fact.run_id}); nothing was published."
    )
    body = (
        f"Run {fact.run_id} (revision {fact.revision}) {how}{where}.\n\n"
        f"Problem: {fact.problem}\n\nWhat to do: {advice}\n"
    )
    return notice_about(fact, f"Run {fact.run_id} {how}", body)


def _cancelled(fact: RunCancelled) -> Notice:
    body = (
        f"Run {fact.run_id} (revision {fact.revision}) was cancelled while it was "
        f"{fact.was.value}.\n\n"
        f"By: {fact.by or 'not given'}\nReason: {fact.reason or 'not given'}\n\n"
        "Its machines were ended and paid; there is no report and nothing is known about its "
        "samples. Files, and what its stages had saved, stay.\n"
        "To run it after all: porewatch submit.\n"
    )
    return notice_about(fact, f"Run {fact.run_id} cancelled", body)


def _quarantined(fact: FileQuarantined) -> Notice:
    body = (
        f"A file of run {fact.run_id} cannot be used and was set aside.\n\n"
        f"File: {fact.path}\nProblem: {fact.problem}\nIt lies at: {fact.quarantine_key}\n\n"
        "Other files of the run are not touched. Send the corrected file under the same name.\n"
    )
    return notice_about(fact, f"File set aside in run {fact.run_id}", body)


def _stalled(fact: StageStalled) -> Notice:
    minutes = (fact.at - fact.still_since).total_seconds() / 60
    body = (
        f"Stage {fact.stage} of run {fact.run_id} stands still.\n\n"
        f"Its worker on {fact.instance_id} says that it lives, but has done nothing for "
        f"{minutes:.0f} minutes; it is at unit {fact.units_done}.\n\n"
        "Nothing was ended. If it stands for as long again and writes nothing either, another "
        "machine takes over at the last checkpoint by itself.\n"
        f"What to do: look at its log (porewatch logs {fact.run_id}).\n"
    )
    return notice_about(fact, f"Run {fact.run_id} stands still in {fact.stage}", body)


def _over_quota(fact: LaunchRefused) -> Notice:
    """Once a stage: every later rung and wait runs into the same quota."""
    meaning = meaning_of(fact.error)
    body = (
        f"{meaning.what.capitalize()}: stage {fact.stage} of run {fact.run_id} asked "
        f"{fact.executor} for a machine ({fact.purchase}) and got none.\n\n"
        f"Problem: {fact.problem}\nNext, by itself: {fact.then}.\n\n"
        f"What to do: {meaning.remedy}. Until then runs may wait for each other, or fail.\n"
    )
    return notice_about(fact, f"Run {fact.run_id} meets a quota in {fact.stage}", body)
