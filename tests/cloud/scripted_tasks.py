"""Source of a function that plays every task of `screen_run` by a script, for test_screen_run.py.

The run id is `<scenario>-<anything>`. Each call is kept in the table CALLS, in order, as the state
machine sent it; answers follow the scenario and what was called before.
"""

import json
import os

import boto3

STAGES = ("basecalling", "screen", "report")


def failing(name):
    raise type(name, (Exception,), {})(f"scripted to raise {name}")


def earlier_calls(run_id, call):
    table = boto3.resource("dynamodb").Table(os.environ["CALLS"])
    kept = table.update_item(
        Key={"run": run_id},
        UpdateExpression="SET calls = list_append(if_not_exists(calls, :none), :call)",
        ExpressionAttributeValues={":none": [], ":call": [json.dumps(call)]},
        ReturnValues="ALL_NEW",
    )
    return [json.loads(text) for text in kept["Attributes"]["calls"]][:-1]


def plan(event, scenario):
    if scenario == "refused":
        failing("BasecallerMissing")
    clocks = {"boot_deadline_s": 2, "beat_timeout_s": 1, "phase_deadline_s": 20}
    names = STAGES[:1] if scenario != "plain" else STAGES
    return {"stages": [{"name": name, "phases": [name], **clocks} for name in names]}


def opened(event, scenario, before):
    times = [
        c for c in before if c["task"] == "open" and c["spec"]["name"] == event["spec"]["name"]
    ]
    done = "done.json" if scenario == "done" else None
    return {"epoch": len(times) + 1, "manifest_key": done}


def called_back(event, scenario):
    steps = boto3.client("stepfunctions")
    token, epoch = event["task_token"], event["epoch"]
    if scenario == "silent":
        return
    if scenario == "deaf":
        failing("MessageRefused")
    if scenario == "unlucky" or (scenario == "interrupted" and epoch <= 2):
        steps.send_task_failure(taskToken=token, error="SpotInterrupted", cause="taken away")
    elif scenario == "broken" or (scenario == "recovers" and epoch == 1):
        steps.send_task_failure(taskToken=token, error="WorkerFailed", cause="x" * 5000)
    else:
        output = json.dumps({"manifest_key": f"{event['stage']}/e{epoch}/manifest.json"})
        steps.send_task_success(taskToken=token, output=output)


def decided(event, scenario):
    again = scenario in ("recovers", "broken") and event["epoch"] < 3
    return {"decision": "retry" if again else "fail", "reason": "scripted", "wait_seconds": 0}


def handler(event, context):
    role = context.function_name.rsplit("-", 1)[-1]
    task = event.get("action", role)
    scenario = event["run_id"].split("-")[0]
    before = earlier_calls(event["run_id"], {"task": task, **event})
    if task == "launcher" and scenario == "nocapacity":
        failing("CapacityUnavailable")
    if task == "terminator" and scenario == "stuck":
        failing("Refused")
    if task == "report" and scenario == "unwritable":
        failing("NotFound")
    return {
        "plan": lambda: plan(event, scenario),
        "open": lambda: opened(event, scenario, before),
        "await": lambda: called_back(event, scenario),
        "decide": lambda: decided(event, scenario),
        "fail_run": lambda: {
            "error": event["error"],
            "problem": f"could not: {event['cause'][:40]}",
        },
        "report": lambda: {"report_keys": {"report.json": "k"}},
    }.get(task, dict)()
