"""The identity of the current credentials."""

from __future__ import annotations

from porewatch.adapters import clients
from porewatch.adapters.faults import translated


def user_id() -> str:
    """`aws:userid` of the current credentials: for a role, its unique id and the session name. The
    session name of an EC2 instance is its instance id, that of a Batch job the id of its ECS task.

    From STS, which returns what policies compare with. Needs no permission. Raises Unavailable.
    """
    with translated("ask who we are"):
        return str(clients.sts().get_caller_identity()["UserId"])
