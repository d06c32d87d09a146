"""Commands about users and projects, for operators by their AWS credentials."""

from __future__ import annotations

from typing import Annotated

import typer

from porewatch_cli.commands.command import command, group
from porewatch_cli.options import JsonOption, ProfileOption, RegionOption, StackOption

people = group("Users who signed in: list them, make admins, disable accounts.")

UserArgument = Annotated[
    str, typer.Argument(metavar="USER", help="a user's id, or an address that one user has")
]


@command(people, "porewatch people list", name="list")
def list_people(
    as_json: JsonOption = False,
    stack: StackOption = None,
    profile: ProfileOption = None,
    region: RegionOption = None,
) -> None:
    """List users by name, with their role in the whole stack."""
    from porewatch_cli.operate import accounts
    from porewatch_cli.stack import find_stack

    accounts.show_people(find_stack(stack, profile=profile, region=region), as_json=as_json)


@command(
    people,
    "porewatch people admin ada@lab.example",
    "porewatch people admin USER --remove",
)
def admin(
    user: UserArgument,
    remove: Annotated[bool, typer.Option("--remove", help="no role in the stack any more")] = False,
    as_json: JsonOption = False,
    stack: StackOption = None,
    profile: ProfileOption = None,
    region: RegionOption = None,
) -> None:
    """Make a user an admin of the whole stack.

    The first admin is made so; he makes others on the pages.
    """
    from porewatch.domain.people.roles import Role
    from porewatch_cli.operate import accounts
    from porewatch_cli.stack import find_stack

    chosen = find_stack(stack, profile=profile, region=region)
    accounts.make_admin(chosen, user, None if remove else Role.ADMIN, as_json=as_json)


@command(
    people,
    "porewatch people disable USER",
    "porewatch people disable USER --enable",
)
def disable(
    user: UserArgument,
    enable: Annotated[bool, typer.Option("--enable", help="let him in again")] = False,
    as_json: JsonOption = False,
    stack: StackOption = None,
    profile: ProfileOption = None,
    region: RegionOption = None,
) -> None:
    """Let a user in no more.

    His sessions end at once, his tokens open nothing.
    """
    from porewatch_cli.operate import accounts
    from porewatch_cli.stack import find_stack

    chosen = find_stack(stack, profile=profile, region=region)
    accounts.disable(chosen, user, not enable, as_json=as_json)


@command(
    people,
    "porewatch people cap USER --month-runs 20 --month-usd 50",
    "porewatch people cap USER",
)
def cap(
    user: UserArgument,
    month_runs: Annotated[
        int | None, typer.Option(min=0, help="runs that may begin in a month")
    ] = None,
    month_usd: Annotated[
        float | None, typer.Option(min=0, help="USD that runs may cost in a month")
    ] = None,
    as_json: JsonOption = False,
    stack: StackOption = None,
    profile: ProfileOption = None,
    region: RegionOption = None,
) -> None:
    """Limit what a user begins and spends in a month, beside his tier.

    The strictest holds. What is not given has no limit of his own.
    """
    from porewatch.domain.tiers.caps import UserCap
    from porewatch_cli.operate import accounts
    from porewatch_cli.stack import find_stack

    limits = UserCap(month_runs=month_runs, month_usd=month_usd)
    chosen = find_stack(stack, profile=profile, region=region)
    accounts.cap(chosen, user, limits, as_json=as_json)


projects = group("Projects: list and make them, their members, and runs from before projects.")


@command(projects, "porewatch projects list", name="list")
def list_projects(
    as_json: JsonOption = False,
    stack: StackOption = None,
    profile: ProfileOption = None,
    region: RegionOption = None,
) -> None:
    """List projects by name, the default project first."""
    from porewatch_cli.operate import accounts
    from porewatch_cli.stack import find_stack

    accounts.show_projects(find_stack(stack, profile=profile, region=region), as_json=as_json)


@command(
    projects,
    'porewatch projects create "Herd 7"',
    'porewatch projects create "Herd 7" --group g-abcdefghijklmnop',
)
def create(
    name: Annotated[str, typer.Argument(metavar="NAME", help="the project's name")],
    group_id: Annotated[str | None, typer.Option("--group", help="the group's id")] = None,
    as_json: JsonOption = False,
    stack: StackOption = None,
    profile: ProfileOption = None,
    region: RegionOption = None,
) -> None:
    """Make a project."""
    from porewatch_cli.operate import accounts
    from porewatch_cli.stack import find_stack

    chosen = find_stack(stack, profile=profile, region=region)
    accounts.make_project(chosen, name, group_id, as_json=as_json)


@command(
    projects,
    "porewatch projects members p-abcdefghijklmnop",
    "porewatch projects members default --give ada@lab.example --role submitter",
    "porewatch projects members default --remove ada@lab.example",
)
def members(
    project: Annotated[str, typer.Argument(metavar="PROJECT", help="id of a project or group")],
    give: Annotated[
        str | None, typer.Option("--give", metavar="USER", help="who gets the roles of --role")
    ] = None,
    role: Annotated[
        list[str] | None, typer.Option("--role", help="instead of his roles there; repeatable")
    ] = None,
    remove: Annotated[
        str | None, typer.Option("--remove", metavar="USER", help="who is no member any more")
    ] = None,
    as_json: JsonOption = False,
    stack: StackOption = None,
    profile: ProfileOption = None,
    region: RegionOption = None,
) -> None:
    """Show the members of a project or group, and change them."""
    from porewatch_cli.operate import accounts
    from porewatch_cli.stack import find_stack

    chosen = find_stack(stack, profile=profile, region=region)
    if give:
        accounts.give_roles(chosen, project, give, role or [])
    if remove:
        accounts.remove_member(chosen, project, remove)
    accounts.show_members(chosen, project, as_json=as_json)


@command(projects, "porewatch projects adopt-runs", name="adopt-runs")
def adopt_runs(
    as_json: JsonOption = False,
    stack: StackOption = None,
    profile: ProfileOption = None,
    region: RegionOption = None,
) -> None:
    """Put runs from before projects into the default project.

    They belong to it already; this puts them into its list. It may be repeated.
    """
    from porewatch_cli.operate import accounts
    from porewatch_cli.stack import find_stack

    accounts.adopt(find_stack(stack, profile=profile, region=region), as_json=as_json)
