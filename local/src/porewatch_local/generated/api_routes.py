"""The table of routes of API v1, from which its document is made. A new route is one row here; a
test compares the table with template.yaml, both ways.

The pages (`/web`) are no part of the API.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from pydantic import BaseModel, NonNegativeInt, TypeAdapter

from porewatch.domain.facts.alerts import Acknowledge, AlertView
from porewatch.domain.people.roles import ProjectId
from porewatch.domain.rules.cancelling import Cancel, Cancelled
from porewatch.domain.runs import RunId, RunState
from porewatch.domain.signatures import answers
from porewatch.domain.signatures.steps import State
from porewatch.domain.submission.run_uploads import (
    LONGEST_REQUEST_KEY,
    REQUEST_KEY,
    Register,
    UploadId,
    UploadState,
)
from porewatch.domain.submission.upload_answers import (
    Completed,
    FileAnswers,
    FilesToSend,
    PartLinks,
    PartsToSend,
    SealAnswer,
    SealOrder,
    UploadList,
    UploadView,
)
from porewatch.domain.tiers.my_tier import MyTier
from porewatch.usecases.billing import begin_checkout
from porewatch.usecases.money import statements
from porewatch.usecases.people import (
    invite,
    manage_users,
    members,
    own_account,
    own_credentials,
    places,
    share_run,
    usage,
)
from porewatch.usecases.signatures import sign_report
from porewatch.usecases.uploads.keep_sheet import KeptSheet, SheetAnswer, SheetToSend
from porewatch.usecases.uploads.register_run import Registered
from porewatch.usecases.views import pages, show_alerts, show_runs
from porewatch.usecases.views.show_animal import AnimalPage
from porewatch.usecases.views.show_files import FileList
from porewatch.usecases.views.show_herd import HerdPage
from porewatch.usecases.views.show_inputs import Inputs
from porewatch.usecases.views.show_logs import LogPart
from porewatch.usecases.views.show_making import Making
from porewatch.usecases.views.show_progress import RunProgress
from porewatch.usecases.webhooks import manage_webhooks


class Parameter(NamedTuple):
    """A parameter of the query string or a header, always optional; `schema`: of its value."""

    name: str
    schema: Mapping[str, Any]


class Route(NamedTuple):
    """`name`: of the operation, once in the API. `answer` None: an empty object; `body` None: no
    body is read. `text`: the body may come as this, too; `text_answer`: so may the answer."""

    method: str
    path: str
    name: str
    summary: str
    answer: type[BaseModel] | None = None
    body: type[BaseModel] | None = None
    query: tuple[Parameter, ...] = ()
    status: int = 200
    text: str = ""
    text_answer: str = ""
    headers: tuple[Parameter, ...] = ()
    public: bool = False


def _of(name: str, kind: Any) -> Parameter:
    """A parameter with the values of a type of ours."""
    return Parameter(name, TypeAdapter(kind).json_schema())


CURSOR = Parameter("cursor", {"type": "string", "format": "cursor",
                              "description": "`next` of the page before, as it is"})  # fmt: skip
PAGE = (
    Parameter("limit", {"type": "integer", "minimum": 1, "maximum": pages.MOST,
                    "default": pages.USUAL}),
    CURSOR,
)  # fmt: skip
REVISION = Parameter(
    "revision", {"type": "integer", "minimum": 0, "maximum": show_runs.MOST_REVISIONS}
)
_RUN, _UPLOAD = "/runs/{run_id}", "/runs/{run_id}/uploads/{upload_id}"
_MATCH = (
    Parameter("If-Match", {"type": "string", "maxLength": 100}),
    Parameter("If-None-Match", {"type": "string", "maxLength": 100}),
)
_MONTH = (
    Parameter("month", {"type": "string", "pattern": f"^{usage.MONTH.pattern}$"}),
    Parameter("format", {"type": "string", "enum": list(usage.SHAPES)}),
)
_KEY = (
    Parameter("Idempotency-Key", {"type": "string", "maxLength": LONGEST_REQUEST_KEY,
                                  "pattern": REQUEST_KEY}),
)  # fmt: skip

RUNS = (
    Route("get", "/runs", "list_runs", "Runs that you may see, newest first", show_runs.RunList,
          query=(*PAGE, _of("state", RunState), _of("review", State), _of("project", ProjectId))),
    Route("post", "/runs", "register_run", "Register a run, before it is uploaded", Registered,
          Register, status=201, headers=_KEY),
    Route("get", _RUN, "show_run", "One run", show_runs.OneRun, query=(REVISION,)),
    Route("get", f"{_RUN}/report", "show_report", "Links to the reports of a run",
          show_runs.ReportLinks, query=(REVISION,)),
    Route("get", f"{_RUN}/progress", "show_progress", "Stages, machines and what happened",
          RunProgress),
    Route("get", f"{_RUN}/log", "show_log", "A part of a log, from its end; or lines with `find`",
          LogPart, query=(_of("name", str), _of("before", NonNegativeInt), _of("find", str))),
    Route("get", f"{_RUN}/inputs", "show_inputs", "Files and samples that the run is made of",
          Inputs),
    Route("get", f"{_RUN}/files", "list_files", "Files of the report: size, SHA-256, kept until",
          FileList),
    Route("get", f"{_RUN}/provenance", "show_provenance", "Versions, parameters and times", Making),
    Route("get", "/projects/{project_id}/animals", "list_animals",
          "Animals by pathogens, as the newest runs found them", HerdPage,
          query=(_of("code", str), CURSOR)),
    Route("get", "/projects/{project_id}/animals/{animal}", "show_animal", "One animal in time",
          AnimalPage, query=(CURSOR,)),
    Route("post", f"{_RUN}/cancel", "cancel_run", "Stop a run", Cancelled, Cancel),
    Route("get", "/alerts", "list_alerts", "Alerts of runs that you may see",
          show_alerts.AlertList, query=(_of("run", RunId), *PAGE, _of("all", bool))),
    Route("post", "/alerts/{run_id}/{sample}/{code}/ack", "acknowledge", "Acknowledge an alert",
          AlertView, Acknowledge),
)  # fmt: skip
UPLOADS = (
    Route("post", f"{_RUN}/uploads", "declare_files", "Say which files will be uploaded",
          FileAnswers, FilesToSend, status=201),
    Route("get", f"{_RUN}/uploads", "list_uploads", "Files that are, or were, uploaded",
          UploadList, query=(_of("state", UploadState), _of("cursor", UploadId))),
    Route("get", _UPLOAD, "show_upload", "One upload, with the parts that have arrived",
          UploadView),
    Route("post", f"{_UPLOAD}/urls", "link_parts", "Links to PUT parts at", PartLinks,
          PartsToSend),
    Route("post", f"{_UPLOAD}/complete", "complete_upload", "Make the file out of its parts",
          Completed),
    Route("delete", _UPLOAD, "give_up_upload", "Give an upload up, or take its file away",
          Completed),
    Route("put", f"{_RUN}/sheet", "keep_sheet", "Check and keep the sample sheet", SheetAnswer,
          SheetToSend, text="text/csv", headers=_MATCH),
    Route("get", f"{_RUN}/sheet", "show_sheet", "The sample sheet", KeptSheet),
    Route("post", f"{_RUN}/seal", "seal_run", "Seal the run, which starts it", SealAnswer,
          SealOrder),
)  # fmt: skip
ACCOUNT = (
    Route("get", "/me", "show_me", "Your account", own_account.Me),
    Route("patch", "/me", "change_me", "Change your account", own_account.Me,
          own_account.MeChange),
    Route("delete", "/me", "delete_me", "Delete your account", own_account.Deleted),
    Route("get", "/me/tier", "show_tier", "Your tier, what it allows, and what you used",
          MyTier),
    Route("post", "/me/checkout", "begin_checkout", "The page on which a tier is paid",
          begin_checkout.Page),
    Route("post", "/me/portal", "open_portal", "The page on which a subscription is changed",
          begin_checkout.Page),
    Route("get", "/me/tokens", "list_tokens", "Your tokens", own_credentials.TokenList),
    Route("post", "/me/tokens", "make_token", "Make a token", own_credentials.TokenMade,
          own_credentials.NewToken, status=201, headers=_KEY),
    Route("delete", "/me/tokens/{token_id}", "revoke_token", "Revoke a token"),
    Route("get", "/me/sessions", "list_sessions", "Your sessions", own_credentials.SessionList),
    Route("delete", "/me/sessions/{session_id}", "end_session", "End a session"),
    Route("post", "/invitations/accept", "accept_invitation", "Accept an invitation",
          invite.Accepted, invite.Acceptance),
    Route("get", "/users", "list_users", "All users", manage_users.UserList,
          query=(*PAGE, _of("name", str))),
    Route("patch", "/users/{user_id}", "change_user", "Change a user", manage_users.UserView,
          manage_users.UserChange),
    Route("get", "/usage", "show_usage", "Cost and runs by project and month", usage.Usage,
          query=(*_MONTH, CURSOR), text_answer="text/csv"),
    Route("get", "/charges", "list_charges", "What projects are charged for a month",
          statements.MonthAnswer, query=_MONTH, text_answer="text/csv"),
    Route("get", "/rates", "list_rates", "The facility's rates", statements.RatesList),
    Route("put", "/rates", "set_rates", "Set the rates from a month on", statements.RatesList,
          statements.RatesToSet),
    Route("get", f"{_RUN}/shares", "list_shares", "Links to a run", share_run.ShareList),
    Route("post", f"{_RUN}/shares", "share_run", "Make a link to a run", share_run.ShareMade,
          share_run.NewShare, status=201, headers=_KEY),
    Route("delete", f"{_RUN}/shares/{{share_id}}", "revoke_share", "Revoke a link",
          share_run.ShareView),
)  # fmt: skip
SIGNATURES = (
    Route("get", f"{_RUN}/signatures", "list_signatures", "Signatures of a run's reports",
          answers.SignatureList),
    Route("post", f"{_RUN}/signatures", "begin_signature", "Begin to sign a report",
          sign_report.Begun, sign_report.Sign, status=201),
    Route("post", f"{_RUN}/signatures/{{act_id}}", "complete_signature",
          "Sign, once the signer has signed in again", answers.SignatureView, status=201),
    Route("get", f"{_RUN}/amendments", "list_amendments", "Amendments, and what the next changes",
          answers.AmendmentList),
    Route("post", f"{_RUN}/amendments", "begin_amendment", "Begin to amend a released report",
          sign_report.Begun, sign_report.Amend, status=201),
)  # fmt: skip
_WEBHOOK = "/me/webhooks/{webhook_id}"
WEBHOOKS = (
    Route("get", "/me/webhooks", "list_webhooks", "Your webhooks", manage_webhooks.WebhookList),
    Route("post", "/me/webhooks", "make_webhook", "Make a webhook", manage_webhooks.WebhookMade,
          manage_webhooks.NewWebhook, status=201),
    Route("patch", _WEBHOOK, "change_webhook", "Stop or start a webhook, or rotate its secret",
          manage_webhooks.WebhookMade, manage_webhooks.WebhookChange),
    Route("delete", _WEBHOOK, "delete_webhook", "Delete a webhook"),
    Route("get", f"{_WEBHOOK}/deliveries", "list_deliveries", "What became of its events",
          manage_webhooks.DeliveryList),
    Route("post", f"{_WEBHOOK}/test", "test_webhook", "Send a test to a webhook",
          manage_webhooks.TestSent, status=202),
)  # fmt: skip
PLACES = (
    Route("get", "/projects", "list_projects", "Your projects", places.ProjectList, query=PAGE),
    Route("post", "/projects", "make_project", "Make a project", places.ProjectView,
          places.NewProject, status=201, headers=_KEY),
    Route("get", "/projects/{project_id}", "show_project", "One project", places.ProjectView),
    Route("get", "/projects/{project_id}/statement", "show_statement",
          "What a project is charged for a month", statements.StatementAnswer, query=_MONTH,
          text_answer="text/csv"),
    Route("patch", "/projects/{project_id}", "change_project", "Change a project",
          places.ProjectView, places.ProjectChange),
    Route("get", "/groups", "list_groups", "Groups of projects", places.GroupList, query=PAGE),
    Route("post", "/groups", "make_group", "Make a group", places.GroupView, places.NewGroup,
          status=201, headers=_KEY),
    Route("get", "/groups/{group_id}", "show_group", "One group", places.GroupView),
    Route("patch", "/groups/{group_id}", "rename_group", "Rename a group", places.GroupView,
          places.NewGroup),
)  # fmt: skip


def _members(place: str) -> Sequence[Route]:
    """The routes that a project and a group have alike."""
    base = f"/{place}s/{{{place}_id}}"
    member, invitation = f"{base}/members/{{user_id}}", f"{base}/invitations/{{invitation_id}}"
    return (
        Route("get", f"{base}/members", f"list_{place}_members", f"Members of a {place}",
              members.MemberList),
        Route("put", member, f"give_{place}_roles", f"Give roles in a {place}",
              members.MemberView, members.GivenRoles),
        Route("delete", member, f"remove_{place}_member", f"Remove a member of a {place}"),
        Route("get", f"{base}/invitations", f"list_{place}_invitations",
              f"Invitations to a {place}", invite.InvitationList),
        Route("post", f"{base}/invitations", f"invite_to_{place}", f"Invite to a {place}",
              invite.InvitationMade, invite.NewInvitation, status=201,
              headers=_KEY),
        Route("delete", invitation, f"withdraw_{place}_invitation", "Withdraw an invitation",
              invite.InvitationView),
    )  # fmt: skip


ROUTES: tuple[Route, ...] = (
    *RUNS,
    *UPLOADS,
    *ACCOUNT,
    *SIGNATURES,
    *WEBHOOKS,
    *PLACES,
    *_members("project"),
    *_members("group"),
    Route(
        "post",
        "/billing/events",
        "hear_payment_provider",
        "An event that Stripe signed",
        public=True,
        headers=(Parameter("Stripe-Signature", {"type": "string"}),),
    ),
    Route("get", "/openapi.json", "show_document", "This document", public=True),
)
