"""The pages: signing in, what they show to whom, and what nobody can do with them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from importlib.resources import files
from typing import Any
from urllib.parse import parse_qsl, quote, urljoin, urlsplit

import boto3
import pytest

from porewatch.adapters.items import Item
from porewatch.adapters.ledger.runs import RunLedger
from porewatch.adapters.ledger.stages import StageLedger
from porewatch.adapters.objects import Objects
from porewatch.adapters.people.accounts import Accounts
from porewatch.adapters.people.credentials import Sessions, ShareLinks
from porewatch.adapters.people.project_runs import ProjectRuns
from porewatch.adapters.table import Change, Table
from porewatch.adapters.webhooks.store import Webhooks
from porewatch.domain import s3_keys
from porewatch.domain.base import now
from porewatch.domain.errors import ConfigurationRefused, PorewatchError, Throttled
from porewatch.domain.people.accounts import Membership, Project
from porewatch.domain.people.oidc import Attempt
from porewatch.domain.people.principal import Means, Principal
from porewatch.domain.people.roles import Role
from porewatch.domain.people.secrets import digest_of, new_id, new_run_id
from porewatch.domain.reasons.catalogue import read
from porewatch.domain.records.run_record import RunRecord
from porewatch.domain.rules.run_lifecycle import Registration
from porewatch.domain.runs import RunState
from porewatch.domain.stage.record import StageKey, StageRecord
from porewatch.domain.stage.spec import Phase, StageSpec
from porewatch.domain.webhooks.deliveries import (
    Delivery,
    DeliveryCode,
    DeliveryState,
    Reply,
    attempted,
    delivery_id,
)
from porewatch.domain.webhooks.events import CHOICES, Event, EventKind
from porewatch.domain.webhooks.webhook import StopCode, Webhook
from porewatch.edge.authorizer import SESSION_COOKIE
from porewatch.settings import settings
from porewatch.usecases.people.share_run import NewShare, revoke_share, share
from porewatch.web.sign_in.sign_in_pages import ATTEMPT_COOKIE
from tests.functional.doors import Context, door
from tests.functional.made_provider import CLIENT, MadeProvider, made_provider
from tests.mocked import make_ledger

HOST = "abcdef1234.execute-api.eu-west-1.amazonaws.com"
AT = datetime(2026, 3, 2, tzinfo=UTC)
HOSTILE = "<script>alert(1)</script> \u05d0\u05d1 " + "n" * 80


@pytest.fixture
def people(cloud: Table) -> Table:
    return make_ledger("people")


@pytest.fixture
def provider(people: Table, monkeypatch: pytest.MonkeyPatch) -> Iterator[MadeProvider]:
    with made_provider() as made:
        monkeypatch.setenv("OIDC_ISSUER", made.issuer)
        monkeypatch.setenv("OIDC_CLIENT_ID", CLIENT)
        monkeypatch.setenv("OIDC_CLIENT_AUTHENTICATION", "none")
        settings.cache_clear()
        yield made


@pytest.fixture(autouse=True)
def api_key(monkeypatch: pytest.MonkeyPatch) -> None:
    """moto's API Gateway wants packages of its own."""
    monkeypatch.setattr("porewatch.adapters.gateway_keys.key_value", lambda _: "k" * 24)


class Browser:
    """Keeps cookies, and goes by the authorizer, as the gateway does."""

    def __init__(self, prefix: str = "/v1", **headers: str) -> None:
        self.prefix, self.headers = prefix, {"Host": HOST, **headers}
        self.cookies: dict[str, str] = {}

    def ask(self, path: str, method: str = "GET", **headers: str) -> dict[str, Any]:
        parts = urlsplit(path)
        proxy = parts.path.removeprefix("/web").strip("/")
        resource = "/web/{page+}" if proxy else "/web"
        cookie = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        sent = {**self.headers, **({"Cookie": cookie} if cookie else {}), **headers}
        event = {
            "type": "REQUEST", "methodArn": f"arn:aws:execute-api:r:1:a/v1/{method}/web",
            "resource": resource, "httpMethod": method, "path": parts.path, "headers": sent,
            "multiValueHeaders": {name: [value] for name, value in sent.items()},
            "queryStringParameters": dict(parse_qsl(parts.query)) or None,
            "pathParameters": {"page": proxy} if proxy else None,
            "body": None, "isBase64Encoded": False,
            "requestContext": {"path": self.prefix + parts.path, "domainName": HOST},
        }  # fmt: skip
        judged = door("authorizer")(event, Context())
        if judged["policyDocument"]["Statement"][0]["Effect"] == "Deny":
            return {"statusCode": 403, "body": "", "multiValueHeaders": {}}
        event["requestContext"]["authorizer"] = judged["context"]  # type: ignore[index]
        answer: dict[str, Any] = door("web")(event, Context())
        for line in answer["multiValueHeaders"].get("Set-Cookie", []):
            name, value = line.partition(";")[0].split("=", 1)
            self.cookies = {k: v for k, v in self.cookies.items() if k != name}
            if value:
                self.cookies[name] = value
        return answer

    def sign_in(self, provider: MadeProvider, to: str = "/web/runs", **claims: Any) -> Any:
        begun = self.ask(f"/web/sign-in?to={to}")
        asked = dict(parse_qsl(urlsplit(header(begun, "Location")).query))
        attempt = Attempt(
            issuer=provider.issuer, state=asked["state"], nonce=asked["nonce"], verifier="",
            return_to="/", expires_at=AT, url="",
        )  # fmt: skip
        provider.answers(provider.claims(attempt, **claims))
        return self.ask(f"/web/signed-in?state={asked['state']}&code=c")


def header(answer: dict[str, Any], name: str) -> str:
    return str(answer["multiValueHeaders"][name][0])


def member(people: Table, *roles: Role, name: str = "Mika") -> str:
    """The user of this name gets roles in a new project; its id."""
    accounts, project = Accounts(people), new_id("p")
    user = next(user for user in accounts.users() if user.name == name)
    accounts.add_project(Project(project_id=project, name=HOSTILE, created_at=AT, created_by="u"))
    accounts.put_member(
        Membership(place=project, user_id=user.user_id, roles=frozenset(roles), given_by="u", at=AT)
    )
    return project


def a_run(cloud: Table, project: str, name: str = "herd 7") -> str:
    run_id = new_run_id()
    ProjectRuns(cloud).register(run_id, Registration(project, name, "u"), AT)
    return run_id


def test_nobody_is_led_to_the_sign_in(people: Table) -> None:
    assert Browser().ask("/web")["statusCode"] == 200
    for path in ("/web/runs", "/web/runs/r-1", "/web/alerts", "/web/runs/r-1/report"):
        answer = Browser().ask(path)
        assert answer["statusCode"] == 303
        assert re.fullmatch(r"(\.\./)+web/sign-in\?to=%2Fweb%2F.*", header(answer, "Location"))


def test_somebody_signs_in_and_out(provider: MadeProvider, people: Table) -> None:
    browser = Browser()
    back = browser.sign_in(provider, "/web/alerts")
    assert (back["statusCode"], header(back, "Location")) == (303, "../web/alerts")
    session = browser.cookies[SESSION_COOKIE]
    assert ATTEMPT_COOKIE not in browser.cookies
    for line in back["multiValueHeaders"]["Set-Cookie"]:
        assert {"Path=/", "Secure", "HttpOnly", "SameSite=Lax"} <= set(line.split("; "))
        assert line.startswith("__Host-")
    page = browser.ask("/web/runs")
    assert "Mika" in page["body"]
    csrf = Sessions(people).find(digest_of(session)).csrf  # type: ignore[union-attr]
    assert browser.ask("/web/sign-out", "POST")["statusCode"] == 403
    assert browser.ask("/web/sign-out")["statusCode"] == 404
    assert browser.ask("/web/sign-out", "POST", **{"x-csrf-token": csrf})["statusCode"] == 204
    assert SESSION_COOKIE not in browser.cookies
    browser.cookies[SESSION_COOKIE] = session
    assert browser.ask("/web/runs")["statusCode"] == 303


def test_a_person_is_known_by_the_subject_and_never_by_the_address(
    provider: MadeProvider, people: Table
) -> None:
    Browser().sign_in(provider)
    Browser().sign_in(provider, name="Mika K.", email="new@lab.example")
    Browser().sign_in(provider, sub="u-2", name="Other", email="new@lab.example")
    users = {user.subject: user for user in Accounts(people).users()}
    assert {s: u.name for s, u in users.items()} == {"u-1": "Mika K.", "u-2": "Other"}
    assert users["u-1"].email == "new@lab.example"
    assert not any(user.stack_role for user in users.values())


def test_the_session_is_another_one_at_each_sign_in(provider: MadeProvider, people: Table) -> None:
    browser = Browser()
    browser.sign_in(provider)
    first = browser.cookies[SESSION_COOKIE]
    browser.sign_in(provider)
    assert browser.cookies[SESSION_COOKIE] != first
    browser.cookies[SESSION_COOKIE] = first
    assert browser.ask("/web/runs")["statusCode"] == 303


def test_an_attempt_serves_once_and_its_own_browser_alone(
    provider: MadeProvider, people: Table
) -> None:
    browser = Browser()
    browser.sign_in(provider)
    begun = browser.ask("/web/sign-in")
    state = dict(parse_qsl(urlsplit(header(begun, "Location")).query))["state"]
    kept = dict(browser.cookies)
    for other in (Browser(), browser):
        answer = other.ask(f"/web/signed-in?state={state}&code=c&error=access_denied")
        assert answer["statusCode"] == 400
        assert SESSION_COOKIE not in {
            c.split("=")[0] for c in answer["multiValueHeaders"].get("Set-Cookie", [])
        }
    browser.cookies = kept
    again = browser.ask(f"/web/signed-in?state={state}&code=c")
    assert again["statusCode"] == 400


@pytest.mark.parametrize(
    "to", ["https://evil.example/", "//evil.example", "/\\evil.example", "/runs", "/webx", "web",
           "/web/../../x\r\nSet-Cookie:a=b"],
)  # fmt: skip
def test_nobody_is_sent_elsewhere(provider: MadeProvider, to: str) -> None:
    answer = Browser().ask(f"/web/sign-in?to={quote(to)}")
    assert answer["statusCode"] == 400
    assert "Location" not in answer["multiValueHeaders"]


def test_a_disabled_user_does_not_come_in(provider: MadeProvider, people: Table) -> None:
    browser = Browser()
    browser.sign_in(provider)
    user = next(Accounts(people).users())
    Accounts(people).change_user(user.user_id, lambda u: u.model_copy(update={"disabled": True}))
    assert browser.ask("/web/runs")["statusCode"] == 303
    assert Browser().sign_in(provider)["statusCode"] == 403


def test_a_member_sees_the_runs_of_his_projects_and_foreign_ones_are_not_there(
    provider: MadeProvider, people: Table, cloud: Table
) -> None:
    browser = Browser()
    browser.sign_in(provider)
    assert "You are in no project yet" in browser.ask("/web/runs")["body"]
    mine = a_run(cloud, member(people, Role.VIEWER), HOSTILE)
    foreign = a_run(cloud, "p-aaaaaaaaaaaaaaaa", "secret name")
    listed = browser.ask("/web/runs")
    assert mine in listed["body"]
    assert "secret name" not in listed["body"]
    assert "<script>alert" not in listed["body"]
    shown = browser.ask(f"/web/runs/{mine}")
    assert shown["statusCode"] == 200
    assert "<script>alert" not in shown["body"]
    absent = browser.ask("/web/runs/r-none")
    for path in (foreign, f"{foreign}/report", f"{mine}/report", "r-none/report"):
        answer = browser.ask(f"/web/runs/{path}")
        assert answer["statusCode"] == absent["statusCode"] == 404
        assert re.sub(r'"(\.\./)+', '"', answer["body"]) == re.sub(
            r'"(\.\./)+', '"', absent["body"]
        )
    assert browser.ask("/web/no-such-page")["statusCode"] == 404


@pytest.mark.parametrize("error", [ConfigurationRefused, Throttled])
def test_a_fault_of_ours_stays_in_the_log(
    provider: MadeProvider,
    people: Table,
    cloud: Table,
    monkeypatch: pytest.MonkeyPatch,
    error: type[PorewatchError],
) -> None:
    browser = Browser()
    browser.sign_in(provider)
    run_id = a_run(cloud, member(people, Role.VIEWER))

    def fails(*_: object) -> None:
        raise error("arn:aws:iam::1:role/Web may not read RUN#r-1.", remedy="allow Web to read.")

    monkeypatch.setattr(RunLedger, "cost_lines", fails)
    answer = browser.ask(f"/web/runs/{run_id}")
    assert answer["statusCode"] >= 500
    assert "arn:" not in answer["body"] and "RUN#" not in answer["body"]


def test_filters_of_the_list(provider: MadeProvider, people: Table, cloud: Table) -> None:
    browser = Browser()
    browser.sign_in(provider)
    project = member(people, Role.VIEWER)
    runs = [a_run(cloud, project, f"herd {n}") for n in range(60)]
    first = browser.ask("/web/runs")["body"]
    older = re.search(r'rel="next" href="\.\./([^"]+)"', first)
    assert older
    second = browser.ask("/" + older[1].replace("&amp;", "&"))["body"]
    seen = [run for run in runs if run in first or run in second]
    assert seen == runs
    assert browser.ask("/web/runs?name=HERD+59")["body"].count('id="run-') == 1
    assert "No run matches" in browser.ask("/web/runs?name=&state=completed")["body"]
    assert browser.ask("/web/runs?state=x")["statusCode"] == 400
    assert browser.ask("/web/runs?project=p-aaaaaaaaaaaaaaaa")["statusCode"] == 404
    part = browser.ask("/web/runs?part=rows", **{"hx-request": "true"})["body"]
    assert part.strip().startswith('<div id="runs" hx-get=')
    browser.cookies = {}
    gone = browser.ask("/web/runs?part=rows", **{"hx-request": "true"})
    assert header(gone, "HX-Refresh") == "true"


@pytest.mark.parametrize("prefix", ["", "/v1", "/some/where"])
def test_links_work_wherever_the_site_lies(
    provider: MadeProvider, people: Table, prefix: str
) -> None:
    browser = Browser(prefix)
    begun = browser.ask("/web/sign-in")
    asked = dict(parse_qsl(urlsplit(header(begun, "Location")).query))
    assert asked["redirect_uri"] == f"https://{HOST}{prefix}/web/signed-in"
    browser.sign_in(provider)
    for page in ("/web/runs", "/web/runs/r-none", "/web"):
        body = browser.ask(page)["body"]
        if body:
            links = re.findall(r'(?:href|src|action)="([^"#]+)"', body)
            assert links
            for link in links:
                path = urljoin(f"https://{HOST}{prefix}{page}", link)
                assert path.startswith(f"https://{HOST}{prefix}/web"), link


def test_every_page_has_its_headers(provider: MadeProvider, people: Table) -> None:
    browser = Browser()
    browser.sign_in(provider)
    for path in ("/web", "/web/runs", "/web/alerts", "/web/nothing", "/web/sign-in"):
        answer = browser.ask(path)
        policy = header(answer, "Content-Security-Policy")
        assert "default-src 'self'" in policy
        assert "frame-ancestors 'none'" in policy
        assert "unsafe" not in policy
        assert header(answer, "X-Content-Type-Options") == "nosniff"
        assert header(answer, "Cache-Control") == "no-store"
        assert header(answer, "Referrer-Policy") == "same-origin"
        assert header(answer, "Strict-Transport-Security")
        assert "style=" not in answer["body"]
        assert not re.search(r"<script(?! src=)|<style| on[a-z]+=", answer["body"])
    body = browser.ask("/web/runs")["body"]
    for served in re.findall(r'"\.\./(web/static/[^"]+)"', body):
        answer = browser.ask(f"/{served}")
        assert answer["statusCode"] == 200
        assert "immutable" in header(answer, "Cache-Control")
    assert browser.ask("/web/static/page.000000000000.css")["statusCode"] == 404


def test_the_language_is_the_browsers_at_first_and_then_the_users(
    provider: MadeProvider, people: Table
) -> None:
    browser = Browser(**{"Accept-Language": "ja-JP,ja;q=0.9"})
    assert 'lang="ja"' in browser.ask("/web")["body"]
    browser.sign_in(provider)
    assert 'lang="ja"' in browser.ask("/web/runs")["body"]
    user = next(Accounts(people).users())
    Accounts(people).change_user(user.user_id, lambda u: u.model_copy(update={"language": "en"}))
    assert 'lang="en"' in browser.ask("/web/runs")["body"]


def completed(cloud: Table, run_id: str, content: bytes = b"<p>the report</p>") -> None:
    """The run ends with a report, as if its machines had worked."""
    key = f"runs/{run_id}/r0/report.html"
    Objects("reports").put(key, content, "text/html")

    def end(record: RunRecord) -> RunRecord:
        update = {
            "state": RunState.COMPLETED, "report_keys": {"report.html": key}, "findings": 0,
            "completed_at": AT, "bundle": "demo@1",
        }  # fmt: skip
        return record.model_copy(update=update)

    def step(item: Item | None) -> Change | None:
        assert item is not None
        return Change(Item.of(item.pk, item.sk, end(item.model(RunRecord)), kind=item.kind))

    cloud.change(f"RUN#{run_id}", "RUN", step)


def test_report_files_and_a_link_for_others(
    provider: MadeProvider, people: Table, cloud: Table
) -> None:
    browser = Browser()
    browser.sign_in(provider)
    run_id = a_run(cloud, member(people, Role.REVIEWER))
    completed(cloud, run_id)
    page = browser.ask(f"/web/runs/{run_id}")["body"]
    assert "report.html" in page
    assert 'sandbox src="' in page
    shown = browser.ask(f"/web/runs/{run_id}/report")
    assert shown["body"] == "<p>the report</p>"
    assert header(shown, "Content-Security-Policy").startswith("sandbox; default-src 'none'")
    link = browser.ask(f"/web/runs/{run_id}/files/report.html")
    assert link["statusCode"] == 303
    assert "X-Amz-Signature" in header(link, "Location")
    assert browser.ask(f"/web/runs/{run_id}/files/other")["statusCode"] == 404
    assert browser.ask(f"/web/runs/{run_id}/log")["statusCode"] == 404

    record = RunLedger(cloud).get(run_id)
    who = Principal(means=Means.SESSION, user_id="u", name="Mika")
    made = share(record, NewShare(days=1), who, now(), links=ShareLinks(people))
    assert Browser().ask(made.path)["body"] == "<p>the report</p>"
    assert Browser().ask(made.path + "x")["statusCode"] == 404
    revoke_share(run_id, made.share_id, now(), links=ShareLinks(people))
    assert Browser().ask(made.path)["statusCode"] == 409


def test_a_log_is_read_from_its_end_and_searched(
    provider: MadeProvider, people: Table, cloud: Table
) -> None:
    browser = Browser()
    browser.sign_in(provider)
    run_id = a_run(cloud, member(people, Role.VIEWER))
    key = StageKey(run_id, 0, "screen")
    spec = StageSpec(name="screen", phases=(Phase.QUALITY_CONTROL,), instance_types=("m5.large",))
    StageLedger(cloud).open_stage(key, spec, AT)
    attempt = s3_keys.attempt_prefix(*key, 1, "AROA:i-1")
    item = cloud.need(f"RUN#{run_id}", "STAGE#0000#screen")
    record = item.model(StageRecord).model_copy(update={"user_id": "AROA:i-1"})
    cloud.put(Item.of(item.pk, item.sk, record))
    lines = [f"line {n} <b>{'x' * 90}" for n in range(2000)]
    Objects("results").put(s3_keys.log_key(attempt), "\n".join(lines).encode())
    tail = browser.ask(f"/web/runs/{run_id}/log")["body"]
    assert "line 1999 &lt;b&gt;" in tail
    assert "line 10 " not in tail
    before = re.search(r'href="[^"]*before=(\d+)', tail)
    assert before
    older = browser.ask(f"/web/runs/{run_id}/log?before={before[1]}")["body"]
    assert "line 1999" not in older
    found = browser.ask(f"/web/runs/{run_id}/log?find=LINE+17+")["body"]
    assert found.count("line 17 ") == 1
    assert browser.ask(f"/web/runs/{run_id}/log?name=other")["statusCode"] == 404
    assert "Quality control" in browser.ask(f"/web/runs/{run_id}")["body"]


def test_the_account_page_is_ones_own_and_admin_pages_are_for_admins(
    provider: MadeProvider, people: Table
) -> None:
    browser = Browser()
    browser.sign_in(provider, name=HOSTILE)
    page = browser.ask("/web/account")["body"]
    assert "<script>alert" not in page
    assert "this one" in page
    assert 'href="../web/admin"' not in page
    assert browser.ask("/web/admin")["statusCode"] == 403
    project = member(people, Role.VIEWER, name=next(Accounts(people).users()).name)
    assert browser.ask(f"/web/projects/{project}")["statusCode"] == 403
    assert browser.ask("/web/projects/p-aaaaaaaaaaaaaaaa")["statusCode"] == 404
    user = next(Accounts(people).users())
    Accounts(people).change_user(
        user.user_id, lambda u: u.model_copy(update={"stack_role": Role.ADMIN})
    )
    admin = browser.ask("/web/admin")
    assert admin["statusCode"] == 200
    assert "<script>alert" not in admin["body"]
    assert browser.ask(f"/web/projects/{project}")["statusCode"] == 200


def test_the_account_page_shows_webhooks_and_what_became_of_their_events(
    provider: MadeProvider, people: Table
) -> None:
    browser, hooks = Browser(), Webhooks(people)
    browser.sign_in(provider)
    assert "details" not in browser.ask("/web/account")["body"]
    user = next(Accounts(people).users())
    project = member(people, Role.VIEWER, name=user.name)
    hook = Webhook(
        webhook_id=new_id("w"), user_id=user.user_id, name=HOSTILE[:120], project=project,
        url="https://lab.example/x?a=1&b=2", kinds=frozenset(CHOICES), sealed_secret="c2VhbGVk",
        made_at=AT, stopped=StopCode.FAILING, stopped_at=AT, failures=12, failing_since=AT,
    )  # fmt: skip
    hooks.add(hook)
    event = Event(kind=EventKind.RUN_COMPLETED, at=now(), run_id=new_run_id())
    sent = Delivery(
        delivery_id=delivery_id(hook.webhook_id, "f"), webhook_id=hook.webhook_id, event=event
    )
    said = Reply(DeliveryCode.REFUSED, 500, "<img src=x onerror=alert(1)>")
    hooks.add_delivery(attempted(sent, said, now()))
    page = browser.ask("/web/account")["body"]
    assert "stopped: it failed for days" in page
    assert "the receiver refused it" in page
    assert "https://lab.example/x?a=1&amp;b=2" in page
    assert "&lt;img src=x onerror=alert(1)&gt;" in page
    assert "<img src=x" not in page
    assert "<script>alert" not in page
    assert "c2VhbGVk" not in page
    for code in (*DeliveryCode, *DeliveryState, *StopCode, *EventKind):
        for language in ("en", "ja"):
            kinds = ("webhook_code", "webhook_state", "webhook_stop", "webhook_kind")
            assert any(f"{kind}.{code.value}" in read("web", language) for kind in kinds)
    other = Browser()
    other.sign_in(provider, sub="somebody-else", name="Noa")
    assert "lab.example/x?a" not in other.ask("/web/account")["body"]


def test_no_page_changes_anything(provider: MadeProvider, people: Table, cloud: Table) -> None:
    browser = Browser()
    browser.sign_in(provider)
    user = next(Accounts(people).users())
    Accounts(people).change_user(
        user.user_id, lambda u: u.model_copy(update={"stack_role": Role.ADMIN})
    )
    completed(cloud, run := a_run(cloud, member(people, Role.ADMIN)))
    everything = [everything_in(table) for table in ("people", "ledger")]
    paths = ["/web", f"/web/runs/{run}"]
    for path in paths:  # grows by the links of each page
        body = browser.ask(path)["body"]
        for link in re.findall(r'(?:href|src|hx-get)="([^"#]+)"', body):
            found = urljoin(f"https://h{path}", link.replace("&amp;", "&")).removeprefix(
                "https://h"
            )
            signs_in = "/sign-in" in found or "/static/" in found
            if found.startswith("/web") and not signs_in and found not in paths:
                paths.append(found)
    assert len(paths) > 8
    assert [everything_in(table) for table in ("people", "ledger")] == everything


def everything_in(table: str) -> list[Any]:
    items = boto3.client("dynamodb").scan(TableName=table)["Items"]
    return sorted(items, key=repr)


@pytest.mark.parametrize("language", ["en", "ja"])
def test_every_word_of_the_templates_is_in_every_catalogue(language: str) -> None:
    folder = files("porewatch.web").joinpath("templates")
    text = "".join(path.read_text(encoding="utf-8") for path in folder.iterdir())
    used = set(re.findall(r"t\('(web\.[a-z_.0-9]+[a-z_0-9])'[,)]", text))
    assert used - set(read("web", language)) == set()
    assert set(read("web", language)) == set(read("web", "en"))
