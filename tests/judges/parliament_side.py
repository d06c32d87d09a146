"""Runs in the judges' environment: a list of policies in, a list of findings of each out."""

import json
import sys

import parliament

answers = []
for document in json.load(sys.stdin):
    policy = parliament.analyze_policy_string(json.dumps(document), include_community_auditors=True)
    answers.append([[one.issue, f"{one.title}: {one.detail}"] for one in policy.findings])
json.dump(answers, sys.stdout)
