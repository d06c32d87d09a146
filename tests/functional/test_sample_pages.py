# ruff: noqa: F811 - fixtures of test_pages
"""Animals by pathogens, and one animal in time: what the pages say of made-up runs, and to whom."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta
from html import unescape
from typing import Any
from urllib.parse import quote

import pytest
from botocore.client import BaseClient

from porewatch.adapters.items import Item
from porewatch.adapters.objects import Objects
from porewatch.adapters.people.project_runs import ProjectRuns
from porewatch.adapters.table import Change, Table
from porewatch.domain import s3_keys
from porewatch.domain.calls.findings import Call, Outcome, Quantity
from porewatch.domain.calls.panel import Severity
from porewatch.domain.calls.standing import Standing, standing
from porewatch.domain.people.roles import Role
from porewatch.domain.people.secrets import new_run_id
from porewatch.domain.reasons.reason import verbatim
from porewatch.domain.records.run_record import RunRecord
from porewatch.domain.results.sample_states import (
    Amount,
    Member,
    Result,
    RunStates,
    SampleState,
    states_of,
)
from porewatch.domain.rules.run_lifecycle import Registration
from porewatch.domain.runs import RunState, SampleRole
from porewatch.usecases.views.recent_states import WINDOW
from porewatch.usecases.views.show_animal import Course, Point
from porewatch.web.samples.course_chart import chart
from tests.functional.made_provider import MadeProvider
from tests.functional.test_finishing import a_report
from tests.functional.test_pages import (
    AT,
    HOSTILE,
    Browser,
    api_key,  # noqa: F401 - a fixture
    member,
    people,  # noqa: F401 - a fixture
    provider,  # noqa: F401 - a fixture
)

GOOD, BAD = Outcome.REPORTABLE, Outcome.NOT_REPORTABLE
MEMBERS = {
    "HEV": Member(name="Hepatitis E Virus", severity=Severity.HIGH),
    "PCMV": Member(name="Porcine cytomegalovirus", severity=Severity.CRITICAL),
    "PCV3": Member(name="Porcine circovirus 3", severity=Severity.LOW),
}


def found(code: str, value: float = 120.0, **more: Any) -> Result:
    amount = Amount(value=value, low=value / 2, high=value * 2, unit="copies/mL")
    return Result(code=code, standing=Standing.DETECTED, amounts=(amount,), **more)


def absent(code: str, limit: float = 35.0) -> Result:
    return Result(
        code=code, standing=Standing.NOT_DETECTED, limit=Amount(value=limit, unit="copies/mL")
    )


def sample(name: str, *results: Result, outcome: Outcome = GOOD, **more: Any) -> SampleState:
    return SampleState(sample=name, outcome=outcome, results=results, **more)


def screened(
    cloud: Table,
    project: str,
    name: str,
    samples: Sequence[SampleState],
    at: datetime = AT,
    reports: Objects | None = None,
) -> str:
    """A completed run with these samples; its id."""
    run_id = new_run_id()
    ProjectRuns(cloud).register(run_id, Registration(project, name, "u"), at)
    states = RunStates(run_id=run_id, revision=0, members=MEMBERS, samples=tuple(samples))
    content = states.model_dump_json(exclude_defaults=True).encode()
    (reports or Objects("reports")).put(s3_keys.states_key(run_id, 0), content)
    update = {"state": RunState.COMPLETED, "completed_at": at, "findings": 0}

    def step(item: Item | None) -> Change | None:
        assert item is not None
        record = item.model(RunRecord).model_copy(update=update)
        return Change(Item.of(item.pk, item.sk, record, kind=item.kind))

    cloud.change(f"RUN#{run_id}", "RUN", step)
    return run_id


@pytest.fixture
def browser(provider: MadeProvider) -> Browser:
    made = Browser()
    made.sign_in(provider)
    return made


def row_of(page: str, animal: str) -> str:
    """Text of the animal's row in the grid."""
    found = re.search(rf"<bdi>{re.escape(animal)}</bdi></a>(.*?)</tr>", page, re.DOTALL)
    assert found, page
    return unescape(" ".join(re.sub(r"<[^>]+>", " ", found[1]).split()))


def test_the_grid_says_how_each_pathogen_stands_in_each_animal_now(
    browser: Browser, people: Table, cloud: Table
) -> None:
    project = member(people, Role.VIEWER)
    void = Result(code="HEV", standing=Standing.NOT_REPORTABLE)
    screened(
        cloud, project, "older",
        [sample("s1", found("HEV"), animal="pig 1"), sample("s2", absent("HEV"), animal="pig 2"),
         sample("s3", found("HEV"), animal="pig 3"), sample("s4", absent("PCMV"), animal="pig 4")],
    )  # fmt: skip
    screened(
        cloud, project, "newer",
        [sample("t1", absent("HEV"), animal="pig 1"),
         sample("t2", found("HEV", withheld=True), animal="pig 2", outcome=BAD),
         sample("t3", void, animal="pig 3", outcome=BAD),
         sample("ntc", found("PCV3"), role=SampleRole.NO_TEMPLATE_CONTROL)],
        AT + timedelta(days=30),
    )  # fmt: skip
    page = browser.ask(f"/web/samples?project={project}")["body"]
    assert "not detected LOD95 35 copies/mL detected before, on 2026-03-02" in row_of(page, "pig 1")
    assert "[detected] 120 copies/mL" in row_of(page, "pig 2")
    row = row_of(page, "pig 3")
    assert "not reportable detected before, on 2026-03-02" in row
    assert "not tested" in row_of(page, "pig 4")
    assert "older" in row_of(page, "pig 4")
    heads = re.findall(r'<th scope="col">([A-Z0-9]+)<small>', page)
    assert heads == ["HEV"], "a control is no animal, and what was found nowhere has no column"
    one = browser.ask(f"/web/samples?project={project}&code=PCMV")["body"]
    assert re.findall(r'<th scope="col">([A-Z0-9]+)<small>', one) == ["PCMV"]
    assert "not detected LOD95 35 copies/mL" in row_of(one, "pig 4")


def test_one_animal_in_time_with_what_the_controls_say(
    browser: Browser, people: Table, cloud: Table
) -> None:
    project = member(people, Role.VIEWER)
    name = HOSTILE[:60]
    ntc = sample("ntc", outcome=BAD, role=SampleRole.NO_TEMPLATE_CONTROL)
    other = sample("pc", role=SampleRole.POSITIVE_CONTROL, batch="b2")
    first = screened(
        cloud, project, "first",
        [sample("a", absent("HEV"), animal=name, tissue="spleen", batch="b1",
                why=verbatim("low yield")), ntc, other],
    )  # fmt: skip
    screened(
        cloud, project, "second", [sample("b", found("HEV"), animal=name), sample("x")],
        AT + timedelta(days=9),
    )  # fmt: skip
    page = browser.ask(f"/web/animal?project={project}&name={quote(name)}")["body"]
    assert "<script>alert" not in page and "style=" not in page
    assert page.count("<circle") == 1 and page.count('class="limit"') == 1
    text = unescape(" ".join(re.sub(r"<[^>]+>", " ", page).split()))
    assert "60 to 240" in text and "spleen" in text and "low yield" in text
    assert "ntc (no-template control) not reportable" in text
    assert "pc (positive control)" not in text, "it speaks for another batch"
    assert "Not tested for 2 members of the list" in text
    assert f"/web/runs/{first}" in page or f"runs/{first}" in page
    nothing = browser.ask(f"/web/animal?project={project}&name=nobody")
    assert nothing["statusCode"] == 200 and "No run on this page" in nothing["body"]


def test_samples_of_a_foreign_project_are_not_there(
    browser: Browser, people: Table, cloud: Table
) -> None:
    assert "You are in no project yet" in browser.ask("/web/samples")["body"]
    mine, foreign = member(people, Role.VIEWER), "p-aaaaaaaaaaaaaaaa"
    screened(cloud, mine, "mine", [sample("seen")])
    screened(cloud, foreign, "theirs", [sample("secret pig", found("HEV"))])
    page = browser.ask("/web/samples")["body"]
    assert "seen" in page and "secret pig" not in page
    for path in (f"/web/samples?project={foreign}", f"/web/animal?project={foreign}&name=x"):
        assert browser.ask(path)["statusCode"] == 404
        assert Browser().ask(path)["statusCode"] == 303
    assert browser.ask("/web/animal")["statusCode"] == 404
    assert browser.ask(f"/web/samples?project={mine}&cursor=x")["statusCode"] == 400
    assert browser.ask(f"/web/samples?project={mine}&code=none")["statusCode"] == 200


def test_a_window_ends_and_the_older_runs_follow(
    browser: Browser, people: Table, cloud: Table
) -> None:
    project = member(people, Role.VIEWER)
    for n in range(WINDOW + 3):
        screened(cloud, project, f"run {n}", [sample(f"pig {n}")], AT + timedelta(days=n))
    first = browser.ask(f"/web/samples?project={project}")["body"]
    older = re.search(r'rel="next" href="\.\./([^"]+)"', first)
    assert older and f"<bdi>pig {WINDOW + 2}<" in first and "<bdi>pig 2<" not in first
    second = browser.ask("/" + unescape(older[1]))["body"]
    assert all(f"<bdi>pig {n}<" in second for n in range(3))
    assert f"<bdi>pig {WINDOW}<" not in second and 'rel="next"' not in second


def test_a_page_reads_one_object_for_each_run_of_its_window_and_scans_nothing(
    browser: Browser, people: Table, cloud: Table, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = member(people, Role.VIEWER)
    for n in range(WINDOW + 5):
        screened(cloud, project, f"run {n}", [sample("pig")], AT + timedelta(days=n))
    calls: Counter[str] = Counter()
    made = BaseClient._make_api_call

    def heard(client: BaseClient, operation: str, request: Any) -> Any:
        calls[operation] += 1
        return made(client, operation, request)

    monkeypatch.setattr(BaseClient, "_make_api_call", heard)
    for path in (f"/web/samples?project={project}", f"/web/animal?project={project}&name=pig"):
        calls.clear()
        assert browser.ask(path)["statusCode"] == 200
        assert calls.pop("GetObject") == WINDOW
        assert "Scan" not in calls and calls.total() <= 12, calls


def test_a_run_whose_report_expired_is_counted_and_one_of_before_is_read_from_its_report(
    browser: Browser, people: Table, cloud: Table
) -> None:
    project = member(people, Role.VIEWER)
    gone, old, broken = (screened(cloud, project, n, [sample(n)]) for n in ("gone", "old", "x"))
    for run_id in (gone, old):
        Objects("reports").remove(s3_keys.states_key(run_id, 0))
    Objects("reports").put(s3_keys.states_key(broken, 0), b"{")
    report = a_report(run_id=old).canonical_json().encode()
    key = s3_keys.report_key(old, 0, "report.json")
    Objects("reports").put(key, report)

    def step(item: Item | None) -> Change | None:
        assert item is not None
        record = item.model(RunRecord).model_copy(update={"report_keys": {"report.json": key}})
        return Change(Item.of(item.pk, item.sk, record, kind=item.kind))

    cloud.change(f"RUN#{old}", "RUN", step)
    page = browser.ask(f"/web/samples?project={project}")["body"]
    assert "The reports of 2 runs have expired" in page
    assert "PERV-C" in page and "<bdi>pig</bdi>" in page


def test_states_are_those_of_the_report_and_small() -> None:
    report = a_report()
    limit = Quantity(value=3.5, low=None, high=None, unit="copies/mL")
    quiet = report.findings[0].model_copy(
        update={"code": "HEV", "call": Call.NOT_DETECTED, "lod95": limit}
    )
    unseen = quiet.model_copy(update={"code": "PCMV", "call": Call.NOT_SCREENED})
    report = report.model_copy(update={"findings": (*report.findings, quiet, unseen)})
    states = states_of(report)
    by_name = {one.sample: one for one in states.samples}
    assert [(r.code, r.standing.value) for r in by_name["pig"].results] == [
        ("PERV-C", "detected"),
        ("HEV", "not_detected"),
    ]
    assert by_name["pig"].results[1].limit == Amount(value=3.5, unit="copies/mL")
    assert "PCMV" in states.members
    again = RunStates.model_validate_json(states.model_dump_json(exclude_defaults=True))
    assert again == states


@pytest.mark.parametrize(
    ("call", "outcome", "stands"),
    [
        (Call.DETECTED, BAD, Standing.DETECTED),
        (Call.INDETERMINATE, GOOD, Standing.INDETERMINATE),
        (Call.NOT_DETECTED, GOOD, Standing.NOT_DETECTED),
        (Call.NOT_DETECTED, BAD, Standing.NOT_REPORTABLE),
        (Call.NOT_SCREENED, GOOD, Standing.NOT_TESTED),
        (Call.ENDOGENOUS, GOOD, Standing.ENDOGENOUS),
        (None, BAD, Standing.NOT_TESTED),
    ],
)
def test_how_a_pathogen_stands(call: Call | None, outcome: Outcome, stands: Standing) -> None:
    assert standing(call, outcome) is stands


def test_a_chart_lies_within_its_frame_whatever_the_values() -> None:
    def point(n: int, value: float | None, low: float | None = None) -> Point:
        amount = None if value is None else Amount(value=value, low=low, high=value, unit="u")
        limit = Amount(value=2.0, unit="u") if value is None else None
        return Point(
            at=AT + timedelta(days=n), run_id="r", standing=Standing.DETECTED, withheld=False,
            amount=amount, limit=limit,
        )  # fmt: skip

    values = [point(3, 5.0), point(0, 1e-9, 0.0), point(1, None), point(2, 1e12, 1e-12)]
    drawn = chart(Course(code="c", name="n", points=tuple(values)))
    assert drawn is not None and len(drawn.marks) == 4
    assert [mark.x for mark in drawn.marks] == sorted(mark.x for mark in drawn.marks)
    assert (drawn.marks[0].label, drawn.marks[-1].label) == ("2026-03-02", "2026-03-05")
    for mark in drawn.marks:
        ends = [end for end in (mark.y, mark.low, mark.high) if end is not None]
        assert all(0 <= end <= drawn.height for end in ends)
        assert drawn.left <= mark.x <= drawn.width
    same = chart(Course(code="c", name="n", points=(point(0, 7.0), point(1, 7.0))))
    assert same is not None
    assert chart(Course(code="c", name="n", points=(point(0, 7.0),))) is None
    assert chart(Course(code="c", name="n", points=(point(0, None), point(1, None)))) is None
