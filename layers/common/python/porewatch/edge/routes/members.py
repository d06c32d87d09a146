"""Members of projects and groups, and invitations to them."""

from __future__ import annotations

from aws_lambda_powertools.event_handler import APIGatewayRestResolver

from porewatch.domain.base import now
from porewatch.domain.people.roles import Action
from porewatch.edge import wiring
from porewatch.edge.asker import asker, repeat
from porewatch.edge.http import Created, pages_root, request_body
from porewatch.settings import settings
from porewatch.usecases.mail.mail_invitation import mail_invitation
from porewatch.usecases.people import invite, members, places


def add_routes(api: APIGatewayRestResolver) -> None:
    def reached(project_id: str, group_id: str) -> str:
        """The project or group of the path, for who manages its members."""
        who, accounts = asker(api), wiring.accounts()
        if group_id:
            return places.reach_group(
                group_id, who, Action.MANAGE_MEMBERS, accounts=accounts
            ).group_id
        return places.reach_project(
            project_id, who, Action.MANAGE_MEMBERS, accounts=accounts
        ).project_id

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
        made = invite.invite(
            place,
            new,
            asker(api),
            now(),
            invitations=wiring.invitations(),
            repeat=repeat(api, f"POST invitations {place}"),
        )
        return _mailed(api, made).public(), 201

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


def _mailed(api: APIGatewayRestResolver, made: invite.InvitationMade) -> invite.InvitationMade:
    """The invitation, mailed where the stack sends mail."""
    if not settings().mail_from:
        return made
    return mail_invitation(made, wiring.mail_counter(pages_root(api)))
