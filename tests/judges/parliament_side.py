"""Runs in the judges' environment: a list of policies in, a list of findings of each out."""

import json
import re
import sys

import parliament

# It takes the hyphen in the name of a tag for the end of the variable.
VARIABLE = re.compile(r"\$\{aws:PrincipalTag/[\w-]+\}")

answers = []
for document in json.load(sys.stdin):
    text = VARIABLE.sub("x", json.dumps(document))
    policy = parliament.analyze_policy_string(text, include_community_auditors=True)
    answers.append([[one.issue, f"{one.title}: {one.detail}"] for one in policy.findings])
json.dump(answers, sys.stdout)
