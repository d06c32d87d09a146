"""Oneself, and for admins: users, projects, and what projects used."""

from __future__ import annotations

from functools import partial

from aws_lambda_powertools.event_handler import APIGatewayRestResolver, Response

from porewatch.adapters.people.slots import all_under_way
from porewatch.domain.base import now
from porewatch.domain.errors import NotFound
from porewatch.domain.people import policy
from porewatch.domain.people.accounts import MailChoice
from porewatch.domain.people.roles import STACK_ROLES, Action, Role, Scope, StackAction
from porewatch.domain.reasons.catalogue import languages
from porewatch.edge import wiring
from porewatch.usecases.people import (
    invite,
    manage_users,
    members,
    own_account,
    own_credentials,
    places,
)
from porewatch.usecases.people.project_use import project_use
from porewatch.usecases.people.usage import usage
from porewatch.web.charges.months import beside
from porewatch.web.router import Visit
from porewatch.web.tier_part import tier_part
from porewatch.web.webhooks_part import webhooks_part

PROJECTS = 20
"""On a page of one's own account: what each used is read from a list of its own."""


def add_routes(api: APIGatewayRestResolver) -> None:
    @api.get("/web/account")
    def account() -> Response[str]:
        visit = Visit(api).signed_in()
        if not visit.who.user_id:
            raise NotFound("the holder of the API key has no account.")
        accounts, at = wiring.accounts(), now()
        session = visit.claims.session
        projects = places.list_projects(
            visit.who,
            accounts=accounts,
            limit=str(PROJECTS),
            cursor=visit.asked("projects")["projects"],
        )
        return visit.page(
            "account.html.j2",
            me=own_account.me(visit.who, accounts=accounts, suppressions=wiring.suppressions()),
            tier=tier_part(visit),
            projects=projects,
            use=project_use(
                [one.project_id for one in projects.projects],
                at,
                budget=wiring.budget(),
                under_way=partial(all_under_way, wiring.table()),
            ),
            month=f"{at:%Y-%m}",
            tokens=own_credentials.list_tokens(visit.who, at, tokens=wiring.tokens()).tokens,
            sessions=own_credentials.list_sessions(
                visit.who, session, at, sessions=wiring.sessions()
            ).sessions,
            scopes=tuple(Scope),
            languages=languages(),
            mails=tuple(MailChoice),
            hooks=webhooks_part(visit, projects.projects),
        )

    @api.get("/web/admin")
    def admin() -> Response[str]:
        visit = _admin(Visit(api))
        accounts, asked = wiring.accounts(), visit.asked("cursor", "month", "user", "projects")
        used = usage(
            visit.who, now(), accounts=accounts, runs=wiring.project_runs(), month=asked["month"]
        )
        return visit.page(
            "admin.html.j2",
            users=manage_users.list_users(
                visit.who,
                accounts=accounts,
                caps=wiring.tier_limits().caps,
                cursor=asked["cursor"],
                name=asked["user"],
            ),
            user=asked["user"],
            projects=places.list_projects(visit.who, accounts=accounts, cursor=asked["projects"]),
            used=used,
            months=beside(used.month, f"{now():%Y-%m}"),
            stack_roles=sorted(STACK_ROLES),
        )

    @api.get("/web/projects/<project_id>")
    def project(project_id: str) -> Response[str]:
        visit, accounts = Visit(api).signed_in(), wiring.accounts()
        shown = places.reach_project(
            project_id, visit.who, Action.MANAGE_MEMBERS, accounts=accounts
        )
        return visit.page(
            "project.html.j2",
            project=shown,
            members=members.list_members(project_id, accounts=accounts).members,
            roles=tuple(Role),
            invitations=invite.list_invitations(
                project_id, invitations=wiring.invitations()
            ).invitations,
            at=now(),
        )


def _admin(visit: Visit) -> Visit:
    policy.require_in_stack(visit.who, StackAction.MANAGE_USERS)
    return visit
