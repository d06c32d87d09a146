"""Who we are, as IAM names us."""

from __future__ import annotations

from porewatch.adapters import clients
from porewatch.adapters.faults import translated


def user_id() -> str:
    """`aws:userid` of our credentials: of a role's, its unique id and the session's name. A machine
    of EC2 has its own id for the session's name, a job of Batch the id of its ECS task.

    Asked of STS, which answers what policies compare with. Needs no right. Raises Unavailable.
    """
    with translated("ask who we are"):
        return str(clients.sts().get_caller_identity()["UserId"])
