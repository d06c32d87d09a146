"""Batches of SQS need the right to the single call, as on AWS.

Why: AWS knows no action `sqs:SendMessageBatch`: "to send, delete or change the visibility of
messages in a batch, grant the permission of the single call". The engine asks for one of the
batch's name, so a role that may send is refused.
Source: Amazon SQS Developer Guide, "Amazon SQS API permissions: Actions and resource reference";
Service Authorization Reference, "Actions defined by Amazon SQS".
Delete when: the engine asks for the single call.
"""

from __future__ import annotations

from ministack.core import iam_actions

from ..rewriting import rewrite

SINGLE = {
    "SendMessageBatch": "SendMessage",
    "DeleteMessageBatch": "DeleteMessage",
    "ChangeMessageVisibilityBatch": "ChangeMessageVisibility",
}


def single(action: str) -> str:
    """The action that is authorized for this call."""
    return SINGLE.get(action, action)


def apply() -> None:
    rewrite(
        iam_actions,
        "extract_iam_action",
        (
            "    action_name = _action_from_target(headers)\n    if action_name:\n"
            '        return f"{namespace}:{action_name}"\n',
            "    action_name = _action_from_target(headers)\n    if action_name:\n"
            '        return f"{namespace}:{porewatch_single(action_name)}"\n',
        ),
        porewatch_single=single,
    )
