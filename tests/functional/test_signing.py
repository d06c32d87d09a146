# ruff: noqa: F811 - fixtures of test_pages
"""Signing at the doors: pages, API and identity provider, by the functions themselves; and in
Chromium, from draft to amended."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from typer.testing import CliRunner

from porewatch.adapters.audit.anchors import Anchors
from porewatch.adapters.ledger.runs import RunLedger
from porewatch.adapters.objects import Objects
from porewatch.adapters.people.accounts import Accounts
from porewatch.adapters.people.credentials import Sessions, ShareLinks, Tokens
from porewatch.adapters.table import Table
from porewatch.domain import s3_keys
from porewatch.domain.base import now
from porewatch.domain.calls.findings import Outcome, SampleOutcome
from porewatch.domain.people.account_rules import tombstone
from porewatch.domain.people.accounts import Membership
from porewatch.domain.people.credentials import Token
from porewatch.domain.people.oidc import Attempt
from porewatch.domain.people.principal import Means, Principal
from porewatch.domain.people.roles import Role, Scope
from porewatch.domain.people.secrets import Kind, digest_of, new_secret
from porewatch.domain.records.run_record import RunRecord
from porewatch.domain.results.report import Report
from porewatch.domain.runs import RunState, Sample
from porewatch.edge.authorizer import SESSION_COOKIE
from porewatch.settings import settings
from porewatch.usecases.people.share_run import NewShare, share
from porewatch_cli.main import app
from porewatch_worker.report.pages.run_record.audit_trail import with_trail
from tests.cloud.visitor import LOOKS, Look, accessible
from tests.functional.doors import Context, door
from tests.functional.made_provider import MadeProvider
from tests.functional.test_finishing import SAMPLES, a_report
from tests.functional.test_pages import (
    AT,
    HOST,
    Browser,
    a_run,
    api_key,  # noqa: F401 - a fixture
    header,
    member,
    people,  # noqa: F401 - a fixture
    provider,  # noqa: F401 - a fixture
)
from tests.functional.test_submit_by_token import server  # noqa: F401 - a fixture
from tests.json_output import fits
from tests.mocked import make_audit_key

if TYPE_CHECKING:
    from playwright.sync_api import Browser as Chromium
    from playwright.sync_api import Page, Route

Claims = dict[str, Any]


class Person:
    """A signed-in browser, and the API as its pages call it. `claims`: what the provider says when
    he signs in again; tests change them."""

    def __init__(self, provider: MadeProvider, sub: str, name: str) -> None:
        self.provider, self.sub, self.name = provider, sub, name
        self.browser, self.claims = Browser(), Claims()
        self.browser.sign_in(provider, sub=sub, name=name, email=f"{sub}@lab.example")
        found = next(u for u in Accounts(Table("people")).users() if u.name == name)
        self.user_id = found.user_id

    def api(
        self, method: str, path: str, body: object = None, **authorizer: str
    ) -> tuple[int, Any]:
        who = authorizer or {"means": "session", "user_id": self.user_id}
        event = {
            "httpMethod": method, "path": path, "isBase64Encoded": False, "headers": {},
            "body": None if body is None else json.dumps(body), "queryStringParameters": None,
            "requestContext": {"authorizer": who},
        }  # fmt: skip
        answer = door("signatures")(event, Context())
        return answer["statusCode"], json.loads(answer["body"])

    def authorize(self, location: str) -> str:
        """The provider asks for the credentials again; where it sends the browser."""
        asked = dict(parse_qsl(urlsplit(location).query))
        attempt = Attempt(
            issuer=self.provider.issuer, state=asked["state"], nonce=asked["nonce"], verifier="",
            return_to="/", expires_at=AT, url="",
        )  # fmt: skip
        again = {"sub": self.sub, "name": self.name, "auth_time": int(now().timestamp())}
        self.provider.answers(self.provider.claims(attempt, **{**again, **self.claims}))
        return f"/web/signed-in?state={asked['state']}&code=c"

    def confirm(self, act: dict[str, Any]) -> Any:
        begun = self.goes_on(act)
        assert begun["statusCode"] == 200, begun["body"]
        address = json.loads(begun["body"])["url"]
        asked = dict(parse_qsl(urlsplit(address).query))
        assert (asked["prompt"], asked["max_age"]) == ("login", "0")
        return self.browser.ask(self.authorize(address))

    def goes_on(self, act: dict[str, Any]) -> dict[str, Any]:
        """From the page that shows what will be signed, with its token."""
        page = self.browser.ask(act["path"])["body"]
        found = re.search(r'<meta name="csrf" content="([^"]+)"', page)
        assert found is not None
        return self.browser.ask(f"{act['path']}/confirm", "POST", **{"x-csrf-token": found[1]})

    def sign(self, run_id: str, meaning: str, **more: Any) -> dict[str, Any]:
        act = self.begin(run_id, meaning, **more)
        assert self.confirm(act)["statusCode"] == 303
        status, signed = self.complete(act)
        assert status == 201, signed
        return dict(signed)

    def begin(self, run_id: str, meaning: str, **more: Any) -> dict[str, Any]:
        _, shown = self.api("GET", f"/runs/{run_id}/signatures")
        order = {"revision": shown["revision"], "report_sha256": shown["report_sha256"]}
        status, act = self.api(
            "POST", f"/runs/{run_id}/signatures", {**order, "meaning": meaning, **more}
        )
        assert status == 201, act
        return dict(act)

    def complete(self, act: dict[str, Any]) -> tuple[int, Any]:
        return self.api("POST", f"/runs/{act['run_id']}/signatures/{act['act_id']}", {})


class Lab:
    """A project with a completed run, and people in it."""

    def __init__(self, provider: MadeProvider, people: Table, ledger: Table) -> None:
        self.provider, self.people, self.ledger = provider, people, ledger
        self.ada = Person(provider, "ada", "Ada")
        self.project = member(people, Role.REVIEWER, name="Ada")
        self.ben = self.joins("Ben", Role.REVIEWER)
        self.run_id = a_run(ledger, self.project)
        make_audit_key()
        self.publish(0)

    def joins(self, name: str, *roles: Role) -> Person:
        joined = Person(self.provider, name.lower(), name)
        given = Membership(
            place=self.project, user_id=joined.user_id, roles=frozenset(roles), given_by="u", at=AT
        )
        Accounts(self.people).put_member(given)
        return joined

    def publish(self, revision: int, **changes: Any) -> Report:
        """A report of this revision, as report_generator leaves it."""
        made = with_trail(a_report(run_id=self.run_id, revision=revision, **changes))
        key = s3_keys.report_key(self.run_id, revision, "report.json")
        Objects("reports").put_json(key, made)
        assert made.audit is not None
        audit_key = settings().audit_key_arn
        anchors = Anchors(self.ledger, settings().stack_name, audit_key)
        anchors.keep(self.run_id, revision, made.audit.head, now())
        item = self.ledger.need(f"RUN#{self.run_id}", "RUN")
        update = {
            "state": RunState.COMPLETED, "revision": revision, "completed_at": now(),
            "report_keys": {"report.json": key, "report.html": key}, "verdict": made.verdict,
        }  # fmt: skip
        run = item.model(RunRecord).model_copy(update=update)
        self.ledger.put(
            type(item).of(item.pk, item.sk, run, kind=item.kind, version=item.version + 1)
        )
        return made

    def run(self) -> RunRecord:
        return RunLedger(self.ledger).get(self.run_id)

    @property
    def principal(self) -> Principal:
        held = {self.project: frozenset({Role.REVIEWER})}
        return Principal(means=Means.SESSION, user_id=self.ada.user_id, roles=held)

    def signatures(self) -> list[dict[str, Any]]:
        return list(self.ada.api("GET", f"/runs/{self.run_id}/signatures")[1]["signatures"])


@pytest.fixture
def lab(provider: MadeProvider, people: Table, cloud: Table) -> Lab:
    return Lab(provider, people, cloud)


def code_on(page: dict[str, Any]) -> int:
    return int(page["statusCode"])


def test_a_report_is_signed_after_a_new_sign_in(lab: Lab) -> None:
    act = lab.ada.begin(lab.run_id, "reviewed")
    status, said = lab.ada.complete(act)
    assert (status, said["code"]) == (409, "signature_not_confirmed")
    before = dict(lab.ada.browser.cookies)
    back = lab.ada.confirm(act)
    assert header(back, "Location").endswith(act["path"].lstrip("/"))
    assert lab.ada.browser.cookies == before, "no session comes of it"
    status, signed = lab.ada.complete(act)
    assert (status, signed["name"], signed["meaning"]) == (201, "Ada", "reviewed")
    assert lab.ada.complete(act) == (201, signed), "sent twice, signed once"
    assert [one["number"] for one in lab.signatures()] == [1]


def test_a_signature_has_the_servers_time(lab: Lab) -> None:
    act = lab.ada.begin(lab.run_id, "reviewed", at="2001-01-01T00:00:00Z")
    lab.ada.confirm(act)
    before = now()
    path = f"/runs/{lab.run_id}/signatures/{act['act_id']}"
    _, signed = lab.ada.api("POST", path, {"at": "2001-01-01T00:00:00Z"})
    assert before.isoformat() <= signed["at"].replace("Z", "+00:00") <= now().isoformat()


@pytest.mark.parametrize(
    ("claims", "why"),
    [
        ({"auth_time": None}, "signed in just now"),
        ({"auth_time": 1_000_000_000}, "signed in just now"),
        ({"auth_time": int((now() - timedelta(minutes=1)).timestamp())}, "signed in just now"),
    ],
)
def test_an_old_sign_in_at_the_provider_confirms_nothing(
    lab: Lab, claims: Claims, why: str
) -> None:
    act = lab.ada.begin(lab.run_id, "reviewed")
    lab.ada.claims = claims
    refused = lab.ada.confirm(act)
    assert code_on(refused) == 409
    assert why in refused["body"]
    assert lab.ada.complete(act)[1]["code"] == "signature_not_confirmed"


def test_another_person_confirms_nothing(lab: Lab) -> None:
    act = lab.ada.begin(lab.run_id, "reviewed")
    lab.ada.claims = {"sub": "ben", "name": "Ben"}
    assert "another person" in lab.ada.confirm(act)["body"].lower()
    lab.ada.claims = {}
    assert code_on(lab.ben.browser.ask(act["path"])) == 404
    assert code_on(lab.ben.goes_on(act)) == 404
    assert lab.ben.complete(act)[0] == 404
    assert lab.ada.complete(act)[1]["code"] == "signature_not_confirmed"


def test_the_answer_of_one_sign_in_serves_once_and_no_other_act(lab: Lab) -> None:
    act, other = lab.ada.begin(lab.run_id, "reviewed"), lab.ada.begin(lab.run_id, "reviewed")
    back = lab.ada.authorize(json.loads(lab.ada.goes_on(act)["body"])["url"])
    cookies = dict(lab.ada.browser.cookies)
    assert code_on(lab.ada.browser.ask(back)) == 303
    lab.ada.browser.cookies = cookies
    assert code_on(lab.ada.browser.ask(back)) == 400, "the attempt is gone"
    assert lab.ada.complete(other)[1]["code"] == "signature_not_confirmed"
    lab.ada.complete(act)
    assert code_on(lab.ada.goes_on(act)) == 409
    assert lab.ada.complete(act)[0] == 201 and len(lab.signatures()) == 1


def test_no_link_and_no_other_site_leads_to_the_provider(lab: Lab) -> None:
    act = lab.ada.begin(lab.run_id, "reviewed")
    address, before = f"{act['path']}/confirm", dict(lab.ada.browser.cookies)
    assert code_on(lab.ada.browser.ask(address)) == 404, "a link"
    assert code_on(lab.ada.browser.ask(address, "POST")) == 403, "a form of another site"
    assert code_on(lab.ada.browser.ask(address, "POST", **{"x-csrf-token": "another"})) == 403
    assert lab.ada.browser.cookies == before, "no sign-in has begun"
    assert code_on(lab.ada.goes_on(act)) == 200


def test_a_sign_in_for_a_session_confirms_nothing(lab: Lab, provider: MadeProvider) -> None:
    act = lab.ada.begin(lab.run_id, "reviewed")
    lab.ada.browser.sign_in(provider, sub="ada", name="Ada", to=act["path"])
    assert lab.ada.complete(act)[1]["code"] == "signature_not_confirmed"


@pytest.mark.parametrize("role", [Role.VIEWER, Role.SUBMITTER, Role.OPERATOR])
def test_who_lacks_the_role_is_refused_on_every_door(lab: Lab, role: Role) -> None:
    eve = lab.joins("Eve", role)
    _, shown = lab.ada.api("GET", f"/runs/{lab.run_id}/signatures")
    order = {name: shown[name] for name in ("revision", "report_sha256")}
    for path, body in (
        ("signatures", {**order, "meaning": "reviewed"}),
        ("signatures/x-aaaaaaaaaaaaaaaa", {}),
        ("amendments", {**order, "reason": "x"}),
    ):
        assert eve.api("POST", f"/runs/{lab.run_id}/{path}", body)[0] == 403
    assert 'id="sign"' not in eve.browser.ask(f"/web/runs/{lab.run_id}/signatures")["body"]
    assert 'id="sign"' in lab.ada.browser.ask(f"/web/runs/{lab.run_id}/signatures")["body"]
    assert lab.signatures() == []


def test_a_token_begins_a_signature_and_cannot_confirm_it(lab: Lab) -> None:
    token = {"means": "token", "user_id": lab.ada.user_id, "scopes": "review"}
    _, shown = lab.ada.api("GET", f"/runs/{lab.run_id}/signatures")
    order = {"revision": 0, "report_sha256": shown["report_sha256"], "meaning": "reviewed"}
    status, act = lab.ada.api("POST", f"/runs/{lab.run_id}/signatures", order, **token)
    assert status == 201
    path = f"/runs/{lab.run_id}/signatures/{act['act_id']}"
    assert lab.ada.api("POST", path, {}, **token)[1]["code"] == "signature_not_confirmed"
    lab.ada.confirm(act)
    assert lab.ada.api("POST", path, {}, **token)[0] == 201
    read = {**token, "scopes": "read submit manage"}
    assert lab.ada.api("POST", f"/runs/{lab.run_id}/signatures", order, **read)[0] == 403


def test_the_signature_page_has_name_time_meaning_and_digest(lab: Lab) -> None:
    signed = lab.ada.sign(lab.run_id, "reviewed", reason="<b>looked at all controls</b>")
    page = lab.ben.browser.ask(f"/web/runs/{lab.run_id}/signatures/1")
    for text in ("Ada", "reviewed", signed["report_sha256"], signed["at"][:10], " UTC", "レビュー"):
        assert text in page["body"], text
    assert "<b>looked" not in page["body"]
    prefix = f"signatures/{lab.run_id}/0001-{signed['fingerprint']}."
    kept = Objects("reports")
    assert kept.get(prefix + "html").decode() == page["body"]
    assert json.loads(kept.get(prefix + "json"))["name"] == "Ada"
    assert code_on(lab.ben.browser.ask(f"/web/runs/{lab.run_id}/signatures/2")) == 404


def test_the_name_of_who_deleted_his_account_stays_on_his_signatures(lab: Lab) -> None:
    lab.ada.sign(lab.run_id, "reviewed")
    Accounts(lab.people).forget_user(lab.ada.user_id, tombstone)
    (signed,) = lab.ben.api("GET", f"/runs/{lab.run_id}/signatures")[1]["signatures"]
    assert signed["name"] == "Ada"
    user = Accounts(lab.people).user(lab.ada.user_id)
    assert user is not None and user.name != "Ada"


def test_what_is_not_reportable_stays_so(lab: Lab) -> None:
    subject = next(iter(a_report().subjects))
    withheld = SampleOutcome(sample=subject, outcome=Outcome.NOT_REPORTABLE)
    lab.publish(1, outcomes=(withheld,), outcome=Outcome.NOT_REPORTABLE)
    lab.ada.sign(lab.run_id, "reviewed")
    signed = lab.ben.sign(lab.run_id, "released")
    assert (signed["outcome"], subject in signed["withheld"]) == ("not_reportable", True)
    page = lab.ada.browser.ask(f"/web/runs/{lab.run_id}/signatures/2")["body"]
    assert "Not reportable" in page


def test_a_new_revision_meanwhile_is_not_what_was_signed(lab: Lab) -> None:
    act = lab.ada.begin(lab.run_id, "reviewed")
    lab.ada.confirm(act)
    lab.publish(1)
    assert lab.ada.complete(act)[1]["code"] == "signature_other_report"
    assert lab.signatures() == []


def test_an_amendment_says_what_changed_and_why(lab: Lab) -> None:
    lab.ada.sign(lab.run_id, "reviewed")
    lab.ben.sign(lab.run_id, "released")
    subject = next(iter(a_report().subjects))
    withheld = SampleOutcome(sample=subject, outcome=Outcome.NOT_REPORTABLE)
    lab.publish(1, outcomes=(withheld,))
    lab.ada.sign(lab.run_id, "reviewed")
    _, shown = lab.ben.api("GET", f"/runs/{lab.run_id}/amendments")
    assert (shown["supersedes"], shown["amendments"]) == (0, [])
    order = {"revision": 1, "report_sha256": lab.signatures()[-1]["report_sha256"]}
    address = f"/runs/{lab.run_id}/amendments"
    assert lab.ben.api("POST", address, {**order, "reason": " "})[0] == 400
    status, act = lab.ben.api("POST", address, {**order, "reason": "wrong control"})
    assert status == 201
    lab.ben.confirm(act)
    status, signed = lab.ben.complete(act)
    assert (status, signed["supersedes"], signed["reason"]) == (201, 0, "wrong control")
    changed = {(one["sample"], one["code"]): one["after"] for one in signed["changes"]}
    assert changed[subject, ""] == "not_reportable"
    assert lab.ben.api("GET", address)[1]["amendments"] == [signed]


def test_a_report_is_shown_with_its_signatures_also_behind_a_link(lab: Lab) -> None:
    key = s3_keys.report_key(lab.run_id, 0, "report.json")
    Objects("reports").put(key, b"<html><body class='x'><h1>Report</h1></body></html>")
    shared = share(lab.run(), NewShare(), lab.principal, now(), links=ShareLinks(lab.people))
    places = (f"/web/runs/{lab.run_id}/report", shared.path)
    assert all("<aside" not in lab.ben.browser.ask(one)["body"] for one in places)
    lab.publish(0)
    lab.ada.sign(lab.run_id, "reviewed")
    signed = lab.ben.sign(lab.run_id, "released", reason="<i>all fine</i>")
    assert 'badge good">released' in lab.ada.browser.ask(f"/web/runs/{lab.run_id}")["body"]
    Objects("reports").put(key, b"<html><body class='x'><h1>Report</h1></body></html>")
    for place in places:
        body = lab.ben.browser.ask(place)["body"]
        assert body.index("<aside") < body.index("<h1>Report")
        assert state_above(body) == "released"
        for text in ("Ada", "Ben", " UTC", signed["report_sha256"]):
            assert text in body, text
        assert "<i>" not in body
    stored = Objects("reports").get(key)
    assert b"aside" not in stored


TWO = {
    "samples": (*SAMPLES, Sample(name="cow")),
    "outcomes": tuple(
        SampleOutcome(sample=name, outcome=Outcome.REPORTABLE) for name in ("pig", "cow")
    ),
}


def state_above(page: str) -> str:
    """What a report's page says of the report as a whole, above it."""
    (said,) = re.findall(r"<aside[^>]*>\s*<p[^>]*><strong>([^<]*)</strong>", page)
    return str(said)


def state_shown(lab: Lab, revision: int = 1) -> str:
    """The same, of a revision that lies there as a page for this moment."""
    key, kept = s3_keys.report_key(lab.run_id, revision, "report.json"), Objects("reports")
    report = kept.get(key)
    kept.put(key, b"<html><body><h1>Report</h1></body></html>")
    page = lab.ben.browser.ask(f"/web/runs/{lab.run_id}/report")["body"]
    kept.put(key, report)
    return state_above(page)


def test_a_partly_signed_report_is_no_further_than_its_last_sample(lab: Lab) -> None:
    made = lab.publish(1, **TWO)
    assert sum(made.verdict.samples.values()) == 2
    lab.ada.sign(lab.run_id, "reviewed", samples=["pig"])
    assert state_shown(lab) == "draft", "nobody has signed the cow"
    lab.ben.sign(lab.run_id, "released", samples=["pig"])
    assert state_shown(lab) == "draft"
    lab.ada.sign(lab.run_id, "reviewed", samples=["cow"])
    assert state_shown(lab) == "reviewed"
    lab.ben.sign(lab.run_id, "released", samples=["cow"])
    assert state_shown(lab) == "released"
    lab.ben.sign(lab.run_id, "amended", samples=["cow"], reason="x")
    assert state_shown(lab) == "amended"
    _, shown = lab.ben.api("GET", f"/runs/{lab.run_id}/signatures")
    assert shown["state"] == "amended"
    assert [one["state"] for one in shown["samples"]] == ["released", "amended"]


def test_samples_that_were_released_in_different_revisions_have_no_one_amendment(
    lab: Lab,
) -> None:
    for revision, samples in ((1, ["pig", "cow"]), (2, ["pig"]), (3, [])):
        lab.publish(revision, **TWO)
        lab.ada.sign(lab.run_id, "reviewed")
        _, shown = lab.ben.api("GET", f"/runs/{lab.run_id}/amendments")
        assert shown["supersedes"] == {1: None, 2: 1, 3: None}[revision]
        if samples:
            meaning = "released" if revision == 1 else "amended"
            lab.ben.sign(lab.run_id, meaning, samples=samples, reason="x")
    _, listed = lab.ben.api("GET", f"/runs/{lab.run_id}/signatures")
    assert (listed["supersedes"], listed["may"]) == (None, ["reviewed"])
    assert lab.ben.sign(lab.run_id, "amended", samples=["pig"], reason="x")["supersedes"] == 2
    assert lab.ben.sign(lab.run_id, "amended", samples=["cow"], reason="x")["supersedes"] == 1


def test_the_command_line_signs_once_its_signer_signed_in_again(
    lab: Lab, server: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    secret = new_secret(Kind.TOKEN)
    Tokens(lab.people).add(
        Token(
            token_id=digest_of(secret), user_id=lab.ada.user_id, name="t", made_at=now(),
            scopes=frozenset({Scope.READ, Scope.REVIEW}), expires_at=now() + timedelta(days=1),
        )
    )  # fmt: skip
    monkeypatch.setenv("POREWATCH_TOKEN", secret)
    waited: list[float] = []

    def in_the_browser(seconds: float) -> None:
        """While the command waits."""
        waited.append(seconds)
        (act,) = Table("people").query(*_begun(lab.people))
        lab.ada.confirm({"path": f"/web/signing/{act.pk.removeprefix('SIGNING#')}"})

    monkeypatch.setattr("porewatch_cli.remote.sign.sleep", in_the_browser)

    def command(*arguments: str) -> Any:
        done = CliRunner().invoke(app, [*arguments, "--server", server, "--json"])
        return json.loads(done.stdout or done.stderr.splitlines()[-1]), done.stderr

    signed, said = command("sign", lab.run_id, "--meaning", "reviewed")
    fits("sign", json.dumps(signed))
    assert (signed["meaning"], signed["name"], len(waited)) == ("reviewed", "Ada", 1)
    assert f"{server}/web/signing/x-" in said
    shown, _ = command("signatures", lab.run_id)
    fits("signatures", json.dumps(shown))
    assert [one["number"] for one in shown["signatures"]] == [1]
    assert "Ada" in CliRunner().invoke(app, ["signatures", lab.run_id, "--server", server]).stdout
    for order in (("sign", "--meaning", "released"), ("amend", "--reason", "x")):
        refused, _ = command(order[0], lab.run_id, *order[1:])
        assert "a second person does" in refused["problem"]


def _begun(people: Table) -> tuple[str, str]:
    """Key of the one act that there is."""
    found = people.client.scan(TableName="people")["Items"]
    (act,) = [one["pk"]["S"] for one in found if one["pk"]["S"].startswith("SIGNING#")]
    return act, "ACT"


class Site:
    """The pages, the API and the identity provider, as one person's Chromium reaches them."""

    def __init__(self, who: Person) -> None:
        self.who = who

    def answer(self, route: Route) -> None:
        parts = urlsplit(route.request.url)
        path = parts.path.removeprefix("/v1")
        if parts.hostname != HOST:
            self.lead(route, f"https://{HOST}/v1{self.who.authorize(route.request.url)}")
        elif path.startswith("/web"):
            query = f"?{parts.query}" if parts.query else ""
            token = route.request.headers.get("x-csrf-token")
            shown = {"x-csrf-token": token} if token else {}
            found = self.who.browser.ask(path + query, route.request.method, **shown)
            if found["statusCode"] == 303:
                self.lead(route, header(found, "Location"))
                return
            headers = {k: v[0] for k, v in found["multiValueHeaders"].items()}
            route.fulfill(status=found["statusCode"], headers=headers, body=found["body"])
        else:
            session = Sessions(self.who.provider and Table("people")).find(
                digest_of(self.who.browser.cookies[SESSION_COOKIE])
            )
            assert session is not None
            assert route.request.headers["x-csrf-token"] == session.csrf
            sent = json.loads(route.request.post_data or "{}")
            status, body = self.who.api(route.request.method, path, sent)
            route.fulfill(status=status, content_type="application/json", body=json.dumps(body))

    @staticmethod
    def lead(route: Route, address: str) -> None:
        """Redirects that a test answers are not seen by it again, so a page leads on."""
        script = f"<script>location.replace({json.dumps(address)})</script>"
        route.fulfill(status=200, content_type="text/html", body=script)


def window(browser: Chromium, who: Person, look: Look) -> Page:
    locale, scheme, width = look
    context = browser.new_context(
        locale=locale,
        color_scheme=scheme,  # type: ignore[arg-type]
        viewport={"width": width, "height": 900},
    )
    context.set_default_timeout(20_000)
    who.browser.headers["Accept-Language"] = locale
    page = context.new_page()
    page.route("**/*", Site(who).answer)
    return page


def sign_in_window(
    page: Page, lab: Lab, meaning: str, reason: str, look: Callable[[], None]
) -> None:
    before = len(lab.signatures())
    page.goto(f"https://{HOST}/v1/web/runs/{lab.run_id}")
    page.locator("#signatures").click()
    page.wait_for_selector("#sign")
    look()
    page.locator(f"input[name=meaning][value={meaning}]").check()
    page.locator("textarea[name=reason]").fill(reason)
    page.locator("#sign button").press("Enter")
    page.wait_for_selector("#confirm")
    look()
    page.locator("#confirm button").press("Enter")
    page.wait_for_selector("#complete")
    look()
    assert page.locator("main dd strong").inner_text(), "it shows once more what is signed"
    assert len(lab.signatures()) == before, "signed by its button, and not by coming back"
    page.locator("#complete button").press("Enter")
    page.wait_for_url(re.compile(r"/runs/[^/]+/signatures$"))
    page.wait_for_selector("#signatures li")
    look()


@pytest.mark.web
@pytest.mark.parametrize("look", LOOKS, ids=lambda look: "-".join(map(str, look)))
def test_reviewed_released_and_amended_in_a_browser(
    lab: Lab, browser: Chromium, axe: str, look: Look
) -> None:
    ada, ben = window(browser, lab.ada, look), window(browser, lab.ben, look)
    sign_in_window(ada, lab, "reviewed", "", lambda: accessible(ada, axe, look[2]))
    sign_in_window(ben, lab, "released", "", lambda: accessible(ben, axe, look[2]))
    assert ben.locator("#state .badge.good").count() == 1
    subject = next(iter(a_report().subjects))
    withheld = SampleOutcome(sample=subject, outcome=Outcome.NOT_REPORTABLE)
    lab.publish(1, outcomes=(withheld,))
    sign_in_window(ada, lab, "reviewed", "", lambda: accessible(ada, axe, look[2]))
    sign_in_window(ben, lab, "amended", "wrong control", lambda: accessible(ben, axe, look[2]))
    assert ben.locator("#signatures li").count() == 4
    assert "wrong control" in ben.locator("#signatures li").last.inner_text()
    assert ben.locator("#signatures li table").count() == 1
    signed = lab.signatures()
    assert [one["meaning"] for one in signed] == ["reviewed", "released", "reviewed", "amended"]
    assert [one["name"] for one in signed] == ["Ada", "Ben", "Ada", "Ben"]
    ada.context.close()
    ben.context.close()


@pytest.mark.web
def test_whoever_reviewed_is_told_in_the_page_that_he_does_not_release(
    lab: Lab, browser: Chromium
) -> None:
    page = window(browser, lab.ada, LOOKS[0])
    sign_in_window(page, lab, "reviewed", "", lambda: None)
    page.locator("input[name=meaning][value=released]").check()
    page.locator("#sign button").click()
    said = page.locator("#sign [role=status]")
    said.filter(has_text="a second person does").wait_for()
    page.context.close()


@pytest.mark.web
def test_a_form_is_never_shown_before_its_script_listens(lab: Lab, browser: Chromium) -> None:
    page = window(browser, lab.ada, LOOKS[0])

    def slowly(route: Route) -> None:
        page.wait_for_timeout(400)
        route.fallback()

    page.route(re.compile(r"page[^/]*\.js"), slowly)
    sign_in_window(page, lab, "reviewed", "", lambda: None)
    assert [one["meaning"] for one in lab.signatures()] == ["reviewed"]
    page.context.close()
