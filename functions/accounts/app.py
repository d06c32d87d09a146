"""Accounts: who one is, tokens, sessions, projects, groups, members, invitations, share links."""

from porewatch.domain.base import now
from porewatch.domain.people.roles import Action
from porewatch.edge import wiring
from porewatch.edge.asker import asker, claims
from porewatch.edge.http import csv_answer, on_http, query, request_body, routes
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
from porewatch.usecases.people.reach_run import reach_run

api = routes()
lambda_handler = on_http(api)
Created = tuple[dict[str, object], int]


def reached(project_id: str, group_id: str) -> str:
    """The project or group of the path, for who manages its members."""
    who, accounts = asker(api), wiring.accounts()
    if group_id:
        return places.reach_group(group_id, who, Action.MANAGE_MEMBERS, accounts=accounts).group_id
    return places.reach_project(
        project_id, who, Action.MANAGE_MEMBERS, accounts=accounts
    ).project_id


@api.get("/me")
def me() -> dict[str, object]:
    return own_account.me(asker(api), accounts=wiring.accounts()).public()


@api.patch("/me")
def change_me() -> dict[str, object]:
    change = request_body(api, own_account.MeChange)
    return own_account.change_me(change, asker(api), accounts=wiring.accounts()).public()


@api.delete("/me")
def delete_me() -> dict[str, object]:
    return own_account.delete_me(
        asker(api),
        accounts=wiring.accounts(),
        sessions=wiring.sessions(),
        tokens=wiring.tokens(),
        webhooks=wiring.webhooks(),
    ).public()


@api.get("/me/tokens")
def tokens() -> dict[str, object]:
    return own_credentials.list_tokens(asker(api), now(), tokens=wiring.tokens()).public()


@api.post("/me/tokens")
def make_token() -> Created:
    new = request_body(api, own_credentials.NewToken)
    made = own_credentials.make_token(new, asker(api), now(), tokens=wiring.tokens())
    return made.public(), 201


@api.delete("/me/tokens/<token_id>")
def revoke_token(token_id: str) -> dict[str, object]:
    own_credentials.revoke_token(token_id, asker(api), tokens=wiring.tokens())
    return {}


@api.get("/me/sessions")
def sessions() -> dict[str, object]:
    current = claims(api).session
    return own_credentials.list_sessions(
        asker(api), current, now(), sessions=wiring.sessions()
    ).public()


@api.delete("/me/sessions/<session_id>")
def end_session(session_id: str) -> dict[str, object]:
    own_credentials.end_session(session_id, asker(api), sessions=wiring.sessions())
    return {}


@api.get("/projects")
def projects() -> dict[str, object]:
    page = query(api, "limit", "cursor")
    return places.list_projects(asker(api), accounts=wiring.accounts(), **page).public()


@api.post("/projects")
def make_project() -> Created:
    new = request_body(api, places.NewProject)
    made = places.make_project(new, asker(api), now(), accounts=wiring.accounts())
    return made.public(), 201


@api.get("/projects/<project_id>")
def project(project_id: str) -> dict[str, object]:
    return places.show_project(project_id, asker(api), accounts=wiring.accounts()).public()


@api.patch("/projects/<project_id>")
def change_project(project_id: str) -> dict[str, object]:
    change = request_body(api, places.ProjectChange)
    return places.change_project(
        project_id, change, asker(api), accounts=wiring.accounts()
    ).public()


@api.get("/groups")
def groups() -> dict[str, object]:
    page = query(api, "limit", "cursor")
    return places.list_groups(asker(api), accounts=wiring.accounts(), **page).public()


@api.post("/groups")
def make_group() -> Created:
    new = request_body(api, places.NewGroup)
    made = places.make_group(new, asker(api), now(), accounts=wiring.accounts())
    return made.public(), 201


@api.get("/groups/<group_id>")
def group(group_id: str) -> dict[str, object]:
    return places.show_group(group_id, asker(api), accounts=wiring.accounts()).public()


@api.patch("/groups/<group_id>")
def rename_group(group_id: str) -> dict[str, object]:
    change = request_body(api, places.NewGroup)
    return places.rename_group(group_id, change, asker(api), accounts=wiring.accounts()).public()


@api.get("/groups/<group_id>/members")
@api.get("/projects/<project_id>/members")
def member_list(project_id: str = "", group_id: str = "") -> dict[str, object]:
    place = reached(project_id, group_id)
    return members.list_members(place, accounts=wiring.accounts()).public()


@api.put("/groups/<group_id>/members/<user_id>")
@api.put("/projects/<project_id>/members/<user_id>")
def give_roles(user_id: str, project_id: str = "", group_id: str = "") -> dict[str, object]:
    place = reached(project_id, group_id)
    given = request_body(api, members.GivenRoles)
    return members.give_roles(
        place, user_id, given, asker(api), now(), accounts=wiring.accounts()
    ).public()


@api.delete("/groups/<group_id>/members/<user_id>")
@api.delete("/projects/<project_id>/members/<user_id>")
def remove_member(user_id: str, project_id: str = "", group_id: str = "") -> dict[str, object]:
    place = reached(project_id, group_id)
    members.remove_member(place, user_id, asker(api), accounts=wiring.accounts())
    return {}


@api.get("/groups/<group_id>/invitations")
@api.get("/projects/<project_id>/invitations")
def invitation_list(project_id: str = "", group_id: str = "") -> dict[str, object]:
    place = reached(project_id, group_id)
    return invite.list_invitations(place, invitations=wiring.invitations()).public()


@api.post("/groups/<group_id>/invitations")
@api.post("/projects/<project_id>/invitations")
def make_invitation(project_id: str = "", group_id: str = "") -> Created:
    place = reached(project_id, group_id)
    new = request_body(api, invite.NewInvitation)
    made = invite.invite(place, new, asker(api), now(), invitations=wiring.invitations())
    return made.public(), 201


@api.delete("/groups/<group_id>/invitations/<invitation_id>")
@api.delete("/projects/<project_id>/invitations/<invitation_id>")
def withdraw(invitation_id: str, project_id: str = "", group_id: str = "") -> dict[str, object]:
    place = reached(project_id, group_id)
    return invite.withdraw(place, invitation_id, invitations=wiring.invitations()).public()


@api.post("/invitations/accept")
def accept() -> dict[str, object]:
    acceptance = request_body(api, invite.Acceptance)
    return invite.accept(
        acceptance,
        asker(api),
        now(),
        accounts=wiring.accounts(),
        invitations=wiring.invitations(),
    ).public()


@api.get("/runs/<run_id>/shares")
def shares(run_id: str) -> dict[str, object]:
    reach_run(run_id, asker(api), Action.SHARE, runs=wiring.runs())
    return share_run.list_shares(run_id, links=wiring.share_links()).public()


@api.post("/runs/<run_id>/shares")
def share(run_id: str) -> Created:
    who = asker(api)
    run = reach_run(run_id, who, Action.SHARE, runs=wiring.runs())
    new = request_body(api, share_run.NewShare)
    return share_run.share(run, new, who, now(), links=wiring.share_links()).public(), 201


@api.delete("/runs/<run_id>/shares/<share_id>")
def revoke_share(run_id: str, share_id: str) -> dict[str, object]:
    reach_run(run_id, asker(api), Action.SHARE, runs=wiring.runs())
    return share_run.revoke_share(run_id, share_id, now(), links=wiring.share_links()).public()


@api.get("/users")
def users() -> dict[str, object]:
    page = query(api, "limit", "cursor", "name")
    return manage_users.list_users(asker(api), accounts=wiring.accounts(), **page).public()


@api.patch("/users/<user_id>")
def change_user(user_id: str) -> dict[str, object]:
    change = request_body(api, manage_users.UserChange)
    return manage_users.change_user(
        user_id, change, asker(api), accounts=wiring.accounts(), sessions=wiring.sessions()
    ).public()


@api.get("/usage")
def usage_by_project() -> object:
    asked = query(api, "month", "cursor", shape="format")
    used = usage.usage(
        asker(api),
        now(),
        accounts=wiring.accounts(),
        runs=wiring.project_runs(),
        month=asked["month"],
        cursor=asked["cursor"],
    )
    if asked["shape"] == "csv":
        return csv_answer(usage.as_csv(used))
    return used.public()
