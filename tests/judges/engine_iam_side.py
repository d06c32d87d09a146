"""Runs in the engine's environment: [documents, [action, resource], context] in, decisions out.

The evaluator is the embedded AWS's own. Context keys are in small letters.
"""

import json
import sys

from ministack.core.iam_evaluator import EvalContext, evaluate, parse_policy_document

answers = []
for documents, (action, resource), context in json.load(sys.stdin):
    asked = EvalContext(
        principal_arn="arn:aws:iam::123456789012:user/lab",
        principal_type="User",
        principal_account="123456789012",
        action=action,
        resource_arn=resource,
        region=context.get("aws:requestedregion", "us-east-1"),
        service_context=context,
    )
    policies = [parse_policy_document(document) for document in documents]
    answers.append(evaluate(asked, policies).decision)
json.dump(answers, sys.stdout)
