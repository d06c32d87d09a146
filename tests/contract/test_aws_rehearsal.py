"""What AWS would have refused, found by reading its documents, service models and the issues of
others: one test for each finding, by its number. Nothing here calls AWS."""

from __future__ import annotations

import copy
import json
import os
import re
import subprocess
import tomllib
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import boto3
import pytest
from botocore.stub import ANY, Stubber

from porewatch.adapters import clients
from porewatch.adapters.messages.metrics import Metrics
from porewatch.compute.batch_rungs import JobPlaces, batch_rungs
from porewatch.compute.batch_wire import job_request
from porewatch.compute.ec2_fleet import Ec2Fleet
from porewatch.compute.ec2_wire import fleet_request, root_gib
from porewatch.compute.launch_faults import launch_error
from porewatch.compute.layouts import layouts
from porewatch.compute.price_table import price_list
from porewatch.domain.base import now
from porewatch.domain.errors import CapacityUnavailable, ConfigurationRefused
from porewatch.domain.facts.metrics import Measure
from porewatch.domain.stage.disk_size import on_image
from porewatch.domain.stage.instances import Owner
from porewatch.domain.stage.spec import LaunchRequest, StageSpec
from porewatch_cli.operate.doctor_checks import CheckVerdict, calls_check, types_check
from porewatch_cli.stack import Stack
from porewatch_local.stack_template import (
    gate,
    rest_cost,
)
from porewatch_local.stack_template.template import (
    Template,
    folder_of,
)
from porewatch_worker.settings import WorkerSettings
from porewatch_worker.stage import child_process
from tests.contract.test_images import component, docker_arguments

ROOT = Path(__file__).parents[2]
TEMPLATE = Template.load(ROOT / "template.yaml")
IMAGES = Template.load(ROOT / "images/image-builder.yaml")
PARAMETERS = TEMPLATE.body["Parameters"]
REGIONS = ("eu-west-1", "eu-central-1", "us-east-1", "us-east-2", "ap-northeast-1", "eu-south-1")


# B1, R2


def test_b1_no_launch_template_tags_a_spot_request() -> None:
    """EC2 refuses such a tag in each launch that makes no spot request (on-demand)."""
    templates = TEMPLATE.of_type("AWS::EC2::LaunchTemplate")
    assert templates
    for name, properties in templates.items():
        tagged = [t["ResourceType"] for t in properties["LaunchTemplateData"]["TagSpecifications"]]
        assert "spot-instances-request" not in tagged, name


def test_b1_no_fleet_request_tags_a_spot_request() -> None:
    for spec in ladder("screen"):
        tagged = [t["ResourceType"] for t in fleet_request(spec)["TagSpecifications"]]
        assert set(tagged) == {"instance", "fleet"}


def test_r2_no_right_to_launch_hangs_on_a_key_that_a_spot_request_has_not() -> None:
    """The service authorization data gives ec2:LaunchTemplate for no spot request."""
    role = json.dumps(TEMPLATE.resources["InstanceLauncherRole"], default=str)
    assert "spot-instances-request" not in role


# B2


def stage_named(name: str) -> StageSpec:
    return next(s for s in layouts()["default"].stages if s.name == name)


def ladder(stage: str, client: Any = None, image: str = "") -> tuple[Any, ...]:
    ec2 = client or boto3.client("ec2", region_name="eu-west-1")
    fleet = Ec2Fleet(
        "s", launch_template_id="lt-1", subnet_ids=("subnet-a",), image_id=image, client=ec2
    )
    owner = Owner(stack="s", run_id="run-1", revision=0, stage=stage, epoch=1)
    return fleet.prepare(LaunchRequest(owner=owner, stage=stage_named(stage), at=now()))


def image_of(gib: int) -> dict[str, Any]:
    disks = [
        {"DeviceName": "/dev/xvdb", "Ebs": {"VolumeSize": 500}},
        {"DeviceName": "/dev/xvda", "Ebs": {"VolumeSize": gib}},
    ]
    return {"RootDeviceName": "/dev/xvda", "BlockDeviceMappings": disks}


@pytest.mark.parametrize("gib", [8, 30, 60, 300])
@pytest.mark.parametrize("stage", ["screen", "report"])
def test_b2_no_disk_is_smaller_than_the_image_whatever_its_size(stage: str, gib: int) -> None:
    """EC2 refuses a volume that is smaller than the snapshot it is made of."""
    client = boto3.client("ec2", region_name="eu-west-1")
    with Stubber(client) as ec2:
        ec2.add_response("describe_images", {"Images": [image_of(gib)]}, {"ImageIds": ["ami-1"]})
        specs = ladder(stage, client, "ami-1")
    assert {spec.disk_gib for spec in specs} == {on_image(stage_named(stage).disk_gib, gib)}
    for spec in specs:
        for pool in fleet_request(spec)["LaunchTemplateConfigs"][0]["Overrides"]:
            assert pool["BlockDeviceMappings"][0]["Ebs"]["VolumeSize"] >= max(gib, 50)


def test_b2_what_the_image_takes_is_not_taken_from_the_stage() -> None:
    assert on_image(100, 60) - 60 == on_image(100, 20) - 20 == 80


def test_b2_the_size_of_an_image_is_that_of_its_root() -> None:
    assert root_gib(image_of(30)) == 30
    assert root_gib({}) == 0


def test_b2_the_launcher_knows_its_image_and_may_read_its_size() -> None:
    variables = TEMPLATE.functions["InstanceLauncher"]["Environment"]["Variables"]
    assert variables["AMI_ID"] == {"Ref": "AmiId"}
    assert "ec2:DescribeImages" in json.dumps(TEMPLATE.resources["InstanceLauncherRole"])


def test_b2_even_unasked_every_profile_has_room_for_the_image_that_we_bake() -> None:
    baked = IMAGES.body["Parameters"]["VolumeGib"]["Default"]
    for one in layouts().values():
        for stage in one.stages:
            assert stage.disk_gib >= baked, f"{one.name} {stage.name}"


# B4


def test_b4_an_image_with_a_driver_runs_where_there_is_no_gpu(tmp_path: Path) -> None:
    """The builder's machine, and those of the stages without a GPU: nvidia-smi is there, and
    answers 9 ("couldn't communicate with the driver")."""
    arguments = docker_arguments(tmp_path, tools={"nvidia-smi": "#!/bin/bash\nexit 9\n"})
    assert "--gpus" not in arguments
    assert arguments[arguments.index("--runtime") + 1] == "runc"


def test_b4_where_there_is_a_gpu_the_worker_gets_it(tmp_path: Path) -> None:
    arguments = docker_arguments(tmp_path, tools={"nvidia-smi": "#!/bin/bash\necho 'GPU 0: T4'\n"})
    assert arguments[arguments.index("--gpus") + 1] == "all"
    assert "--runtime" not in arguments


# W1


@pytest.mark.parametrize("region", REGIONS)
@pytest.mark.parametrize("who", ["function", "command"])
def test_w1_a_link_names_the_region_of_its_bucket(
    region: str, who: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The global address redirects while a bucket is young: the signature is then wrong. It is the
    address of us-east-1, which needs no redirect."""
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    monkeypatch.setenv("AWS_DEFAULT_REGION", region)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "key")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    clients.forget()
    if who == "function":
        s3 = clients.s3()
    else:
        s3 = Stack("porewatch", boto3.Session(region_name=region), {}).s3
    clients.forget()
    link = s3.generate_presigned_url("get_object", Params={"Bucket": "reports", "Key": "a b.html"})
    named = "" if region == "us-east-1" else f".{region}"
    assert urlsplit(link).hostname == f"reports.s3{named}.amazonaws.com"


def test_w1_elsewhere_the_bucket_stays_in_the_path(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:4566")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "key")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    clients.forget()
    link = clients.s3().generate_presigned_url("get_object", Params={"Bucket": "b", "Key": "k"})
    clients.forget()
    assert link.startswith("http://127.0.0.1:4566/b/k?")


# W2, R4


def test_w2_a_deploy_with_the_defaults_can_be_taken_back_and_deleted() -> None:
    """RDS refuses to delete a protected cluster: a failed first deploy would stay half made."""
    for name, properties in TEMPLATE.of_type("AWS::RDS::DBCluster").items():
        assert properties["DeletionProtection"] == {"Ref": "RegistryProtection"}, name
        assert TEMPLATE.resources[name]["DeletionPolicy"] == "Snapshot"
    assert PARAMETERS["RegistryProtection"]["Default"] == "false"


def test_r4_the_registry_has_the_version_that_the_template_says() -> None:
    for name, properties in TEMPLATE.of_type("AWS::RDS::DBInstance").items():
        assert properties["AutoMinorVersionUpgrade"] is False, name


# W3


def test_w3_docker_waits_longer_for_the_worker_than_the_worker_for_its_unit(
    tmp_path: Path,
) -> None:
    """10 s are docker's own patience; a terminated machine is given about two minutes."""
    arguments = docker_arguments(tmp_path)
    patience = int(arguments[arguments.index("--stop-timeout") + 1])
    assert WorkerSettings.model_fields["grace_s"].default < patience < 120
    (script,) = (
        "\n".join(step["inputs"]["commands"])
        for phase in component()["phases"]
        for step in phase["steps"]
        if step["name"] == "OnlyDockerAtBoot"
    )
    lines = [line for line in script.splitlines() if "daemon.json" in line]
    place = tmp_path / "daemon.json"
    text = "\n".join(lines).replace("/etc/docker", str(tmp_path))
    place.write_text('{"log-driver": "journald"}')
    subprocess.run(["bash", "-ec", text], check=True, env={"PATH": os.environ["PATH"]})
    config = json.loads(place.read_text())
    assert config["log-driver"] == "journald"
    assert config["shutdown-timeout"] > patience


# R1


MOST = 9
"""Of one rule. event-ruler names ten as a sensible limit of a rule; of what was tried, three
patterns of three (9) were taken and four of them (12) refused. Ten itself nobody knows."""


def complexity(patterns: list[str]) -> int:
    """How many prefixes with a wildcard, of all patterns, one input can match at once; what is
    common to two patterns counts twice, which is never too little."""
    letters = {letter for one in patterns for letter in one if letter != "*"} | {"\0"}

    def settled(places: frozenset[tuple[int, int]]) -> frozenset[tuple[int, int]]:
        """A star may also stand for nothing."""
        found = set(places)
        for n, at in places:
            if at < len(patterns[n]) and patterns[n][at] == "*":
                found.add((n, at + 1))
        return frozenset(found)

    def after(places: frozenset[tuple[int, int]], letter: str) -> frozenset[tuple[int, int]]:
        found = set()
        for n, at in places:
            if at and patterns[n][at - 1] == "*":
                found.add((n, at))
            if at < len(patterns[n]) and patterns[n][at] == letter:
                found.add((n, at + 1))
        return settled(frozenset(found))

    start = settled(frozenset((n, 0) for n in range(len(patterns))))
    seen, ahead, most = {start}, [start], 0
    while ahead:
        here = ahead.pop()
        held = [(n, at) for n, at in here if "*" in patterns[n][:at] or at == len(patterns[n])]
        most = max(most, len(held))
        for there in {after(here, letter) for letter in letters} - seen:
            seen.add(there)
            ahead.append(there)
    return most


def wildcards(pattern: Any) -> Iterator[list[str]]:
    """The wildcards of each field of a pattern, those of `anything-but` too."""
    if isinstance(pattern, dict):
        for value in pattern.values():
            yield from wildcards(value)
    elif isinstance(pattern, list):
        found: list[str] = []
        for one in (one for one in pattern if isinstance(one, dict)):
            value = one.get("wildcard") or one.get("anything-but")
            value = value.get("wildcard", []) if isinstance(value, dict) else value
            found += (
                [value] if isinstance(value, str) else [t for t in value or [] if "*" in str(t)]
            )
        yield found


@pytest.mark.parametrize(
    ("patterns", "known"),
    [
        (["*"], 1),
        (["*a*a*a*"], 7),
        (["*:stack/N/*"], 3),
        (["*:stack/N/*", "*:stack/M/*", "*:stack/O/*"], 9),
        (["*/datasync/*.ext"], 4),
        (["*.tar"], 2),
        (["runs/*/run.json", "runs/*/final_summary*.txt"], 5),
    ],
)
def test_r1_the_measure_gives_what_event_ruler_gives(patterns: list[str], known: int) -> None:
    """Figures of event-ruler's own evaluator and tests. Shared prefixes make ours larger only."""
    assert complexity(patterns) >= known
    assert complexity(patterns) <= known + 2


def test_r1_no_rule_is_too_complex_for_eventbridge() -> None:
    rules = TEMPLATE.of_type("AWS::Events::Rule")
    counts = {
        name: [complexity(field) for field in wildcards(rule.get("EventPattern", {})) if field]
        for name, rule in rules.items()
    }
    assert any(counts.values())
    assert {name: most for name, all_ in counts.items() if (most := sum(all_)) > MOST} == {}


# R3 (the ladder itself: tests/unit/usecases/test_stage_by_stage.py)


@pytest.mark.parametrize(
    "error",
    [
        ("Unsupported", "Your requested instance type is not supported"),
        (
            "InvalidFleetConfiguration",
            "Your requested instance type (m7i.2xlarge) is not supported in your requested "
            "Availability Zone (us-east-1e).",
        ),
    ],
)
def test_r3_a_zone_without_the_type_is_a_pool_without_capacity(error: tuple[str, str]) -> None:
    assert isinstance(launch_error([error]), CapacityUnavailable)


def test_r3_a_fleet_that_is_configured_wrongly_is_none() -> None:
    error = ("InvalidFleetConfiguration", "The launch template has no image.")
    assert isinstance(launch_error([error]), ConfigurationRefused)


# R5


def test_r5_a_new_account_can_check_files_and_still_run_the_rest() -> None:
    """Ten calls at once are all that a new account has; nothing of them can be kept for one."""
    assert PARAMETERS["HeartbeatConcurrency"]["Default"] == 0
    assert PARAMETERS["CheckConcurrency"]["Default"] == 5
    for name, function in TEMPLATE.functions.items():
        for event in function.get("Events", {}).values():
            if event["Type"] == "SQS":
                assert "MaximumConcurrency" in event["Properties"]["ScalingConfig"], name


def test_r5_stages_of_production_keep_calls_for_readers_of_the_workers() -> None:
    tables = tomllib.loads((ROOT / "samconfig.toml").read_text())
    for name in (name for name in tables if name.startswith("prod")):
        overrides = tables[name]["deploy"]["parameters"]["parameter_overrides"]
        assert re.search(r"HeartbeatConcurrency=[1-9]", overrides), name
        assert re.search(r"CheckConcurrency=[1-9]\d", overrides), name
        assert "RegistryProtection=true" in overrides, name


@pytest.mark.parametrize(
    ("left", "verdict"),
    [
        (5, CheckVerdict.FAIL),
        (10, CheckVerdict.WARN),
        (49, CheckVerdict.WARN),
        (50, CheckVerdict.OK),
    ],
)
def test_r5_doctor_shows_how_many_functions_may_run_at_once(
    left: int, verdict: CheckVerdict
) -> None:
    check = calls_check(left)
    assert (check.verdict, bool(check.remedy)) == (verdict, verdict is not CheckVerdict.OK)


# R8


def test_r8_zones_can_be_named() -> None:
    for number, letter in enumerate("ABC"):
        zone = TEMPLATE.resources[f"Subnet{letter}"]["Properties"]["AvailabilityZone"]
        first = {"Fn::Select": [number, {"Fn::GetAZs": ""}]}
        assert zone == {"Fn::If": ["NamesZones", {"Ref": f"Zone{letter}"}, first]}


def test_r8_doctor_names_a_zone_that_has_few_of_the_types() -> None:
    """As an old zone of us-east-1, which the region may name first."""
    stage = stage_named("screen")
    old = {("us-east-1e", name) for name in stage.instance_types if name.startswith("m5.")}
    new = {("us-east-1a", name) for name in stage.instance_types}
    assert types_check(stage, ["us-east-1a"], old | new).verdict is CheckVerdict.OK
    check = types_check(stage, ["us-east-1a", "us-east-1e"], old | new)
    assert check.verdict is CheckVerdict.WARN
    assert check.remedy.startswith("us-east-1e has few of them")
    assert types_check(stage, ["us-east-1a"], set()).verdict is CheckVerdict.FAIL


# C1


CALLED_BY_WORKERS = {"s3", "dynamodb", "sqs", "lambda"}
"""A job's host is an ECS agent, too, which pulls an image and writes a log. Nobody calls STS from
here: an identity is signed by the machine and sent by the credential broker."""
CALLED_BY_JOBS = {"logs", "ecs", "ecs-agent", "ecr.api", "ecr.dkr"}


def test_c1_there_are_endpoints_for_what_is_called_and_for_nothing_else() -> None:
    """Each costs money by the hour in each zone, used or not."""
    found: dict[str, set[str]] = {"": set(), "HasBatchOnAws": set()}
    for name, properties in TEMPLATE.of_type("AWS::EC2::VPCEndpoint").items():
        condition = TEMPLATE.resources[name].get("Condition", "")
        service = properties["ServiceName"]["Fn::Sub"].removeprefix("com.amazonaws.${AWS::Region}.")
        found["" if condition == "OnAws" else condition].add(service)
    assert found == {"": CALLED_BY_WORKERS, "HasBatchOnAws": CALLED_BY_JOBS}


def test_c1_whoever_is_launched_can_ask_for_credentials_and_do_nothing_else() -> None:
    data = TEMPLATE.resources["WorkerTemplate"]["Properties"]["LaunchTemplateData"]
    assert data["IamInstanceProfile"] == {"Arn": {"Fn::GetAtt": ["WorkerProfile", "Arn"]}}
    profile = TEMPLATE.resources["WorkerProfile"]["Properties"]
    assert profile["Roles"] == [{"Ref": "MachineRole"}]
    broker = "export POREWATCH_CREDENTIAL_BROKER='${AWS::StackName}-credential-broker'"
    assert broker in data["UserData"]["Fn::Base64"]["Fn::Sub"]
    for job in ("WorkerJob", "WorkerGpuJob"):
        container = TEMPLATE.resources[job]["Properties"]["ContainerProperties"]
        assert container["JobRoleArn"] == {"Fn::GetAtt": ["MachineRole", "Arn"]}
        told = {"Name": "POREWATCH_CREDENTIAL_BROKER", "Value": {"Ref": "CredentialBroker"}}
        assert told in container["Environment"]


# C1 and C2: what a stack costs while nothing runs


def test_c2_readme_says_what_a_stack_costs_at_rest() -> None:
    assert rest_cost.PAGE.read_text() == rest_cost.page(), (
        "python -m porewatch_local.stack_template.rest_cost"
    )


def test_c2_a_small_laboratory_pays_no_more_than_it_would_accept() -> None:
    cost = sum(line.usd for line in rest_cost.bill(TEMPLATE))
    assert 20 < cost <= rest_cost.CEILING_OF_A_SMALL_LAB


def test_c2_prices_are_those_of_the_snapshot_and_dev_is_as_samconfig_deploys_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    before = {line.what: line.usd for line in rest_cost.bill(TEMPLATE)}
    prices = price_list()
    rest = prices.at_rest.model_copy(update={"key_month": 10 * prices.at_rest.key_month})
    services = prices.services.model_copy(update={"sqs_million": 2 * prices.services.sqs_million})
    dearer = prices.model_copy(update={"at_rest": rest, "services": services})
    monkeypatch.setattr(rest_cost, "price_list", lambda _region: dearer)
    now = {line.what: line.usd for line in rest_cost.bill(TEMPLATE)}
    ratios = {what: round(now[what] / usd, 6) for what, usd in before.items() if usd}
    assert {what: ratio for what, ratio in ratios.items() if ratio != 1} == {
        "keys": 10, "reading empty queues": 2,
    }  # fmt: skip
    (dev,) = (parameters for name, parameters in rest_cost.SETS.items() if "dev" in name)
    assert dev["MonthlyBudgetUsd"] == "200" and set(dev) <= set(PARAMETERS)


def test_c2_each_endpoint_in_each_zone_is_counted() -> None:
    """Four of them, that nothing called, had made 96 USD a month."""
    more = copy.deepcopy(TEMPLATE.body)
    more["Resources"]["Another"] = more["Resources"]["SqsEndpoint"]
    dearer = rest_cost.bill(Template(ROOT, more))
    once = rest_cost.bill(TEMPLATE)[0].usd
    assert dearer[0].usd == pytest.approx(once / 3 * 5)  # three zones of two endpoints, and two


# R7


@pytest.mark.parametrize(
    ("version", "old"), [("1.37.1", True), ("1.37.2", False), ("1.44.5", False)]
)
def test_r7_a_runtime_whose_boto_is_too_old_says_so(version: str, old: bool) -> None:
    """CreateFleet knows disks since botocore 1.37.2. Before that boto3 raises what nobody reads."""
    if old:
        with pytest.raises(ConfigurationRefused, match=r"botocore is 1\.37\.1"):
            clients.refuse_old(version)
    else:
        clients.refuse_old(version)


# Smaller ones


def test_polish_a_build_needs_no_gnu_tool() -> None:
    """`cp --parents` is GNU's alone: on macOS nothing could be built."""
    for path in [
        ROOT / "functions/Makefile",
        *ROOT.glob("layers/**/Makefile"),
        ROOT / "layers/python.mk",
    ]:
        text = path.read_text()
        assert not re.search(r"cp -[^\n]*(--parents|-t )", text), path
        assert "sed -i" not in text, path


def test_polish_a_job_with_a_gpu_names_it() -> None:
    """The override names the rest; whether the GPU of a definition stays nobody says."""
    stage = stage_named("basecall")
    owner = Owner(stack="s", run_id="run-1", revision=0, stage=stage.name, epoch=1)
    places = JobPlaces(
        spot_queue="spot", on_demand_queue="dear", definition="cpu", gpu_definition="gpu"
    )
    for wanted, gpu in ((stage, True), (stage_named("screen"), False)):
        for spec in batch_rungs(LaunchRequest(owner=owner, stage=wanted, at=now()), places=places):
            needs = job_request(spec, now())["containerOverrides"]["resourceRequirements"]
            assert ({"type": "GPU", "value": "1"} in needs) is gpu


def test_polish_measures_that_cloudwatch_is_too_young_for_are_left_out() -> None:
    """It takes no time older than two weeks, and then nothing of the whole request."""
    client = boto3.client("cloudwatch", region_name="eu-west-1")
    old, new = (Measure(name="Runs", value=1, at=now() - timedelta(days=days)) for days in (15, 13))
    with Stubber(client) as stub:
        stub.add_response("put_metric_data", {}, {"Namespace": "Porewatch", "MetricData": ANY})
        Metrics("s", client).put([old, new])
        Metrics("s", client).put([old])
        stub.assert_no_pending_responses()


def test_polish_the_env_file_of_sam_local_has_each_variable_of_each_function() -> None:
    """`sam local` gives what the template names, and takes a `!Ref` for its name."""
    variables = json.loads((ROOT / "events/env.json").read_text())
    there = {name: set(f["Environment"]["Variables"]) for name, f in TEMPLATE.functions.items()}
    assert {name: set(values) for name, values in variables.items()} == there
    assert all(isinstance(value, str) for values in variables.values() for value in values.values())


def test_polish_sam_local_finds_each_function_its_event_and_its_environment() -> None:
    """By SAM's own code, which hands them to the container; docker is not needed for that."""
    events = {
        name: str(ROOT / f"events/functions/{folder_of(name)}.json") for name in TEMPLATE.functions
    }
    script = Path(gate.__file__).parents[1] / "sam_side/local_invoke.py"
    done = subprocess.run(
        [str(gate.tools(ROOT) / "sam/bin/python"), str(script), str(ROOT)],
        input=json.dumps(events), env={**os.environ, **gate.QUIET},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    found, wanted = json.loads(done.stdout), json.loads((ROOT / "events/env.json").read_text())
    for name, own in found.items():
        assert own["environment"] is not None, f"SAM knows no function {name}"
        assert wanted[name].items() <= own["environment"].items(), name
        assert own["event"], name
    assert set(found) == set(wanted)


def test_polish_a_computation_in_a_child_needs_no_prctl(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only Linux has it; elsewhere the child would have ended without an answer."""
    monkeypatch.setattr(child_process.ctypes, "CDLL", lambda _name: object())
    assert child_process.in_child(lambda: 7) == 7
