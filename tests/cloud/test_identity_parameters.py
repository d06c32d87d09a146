"""A stack that asks for the identity provider gets the local one, and its secret to read."""

from __future__ import annotations

from pathlib import Path

import pytest

from porewatch_local.embedded.clients import client
from porewatch_local.embedded.deploy import Source, deploy_stack
from porewatch_local.embedded.identity_parameters import identity_parameters, parameter_overrides
from tests.cloud.conftest import Cloud

pytestmark = pytest.mark.cloud
ASKS = """
Parameters:
  OidcIssuer: {Type: String}
  OidcClientId: {Type: String}
  OidcClientSecretArn: {Type: String}
  Other: {Type: String, Default: unset}
Resources:
  Issuer:
    Type: AWS::SSM::Parameter
    Properties: {Name: issuer, Type: String, Value: !Ref OidcIssuer}
Outputs:
  Client: {Value: !Ref OidcClientId}
  Secret: {Value: !Ref OidcClientSecretArn}
  Other: {Value: !Ref Other}
"""
CONFIG = """
version = 0.1
[local.deploy.parameters]
parameter_overrides = "Other=set OidcIssuer=https://elsewhere.example"
"""


def test_the_stack_is_told_where_people_sign_in(cloud: Cloud, tmp_path: Path) -> None:
    (tmp_path / "template.yaml").write_text(ASKS)
    (tmp_path / "samconfig.toml").write_text(CONFIG)
    source = Source(folder=tmp_path, parts=("samconfig.toml",), stack_name="asks")
    lines: list[str] = []
    deployed = deploy_stack(cloud.home, cloud.local, source=source, progress=lines.append)
    identity = cloud.local.identity
    assert identity is not None
    assert issuer_of(cloud) == identity.issuer
    assert deployed.outputs["Client"] == identity.client_id
    assert deployed.outputs["Other"] == "set"
    secrets = client(cloud.local, "secretsmanager")
    read = secrets.get_secret_value(SecretId=deployed.outputs["Secret"])
    assert read["SecretString"] == identity.client_secret

    lines.clear()
    deploy_stack(cloud.home, cloud.local, source=source, progress=lines.append)
    assert lines == []
    moved = identity.model_copy(update={"issuer": "http://127.0.0.1:1"})
    elsewhere = cloud.local.model_copy(update={"identity": moved})
    deploy_stack(cloud.home, elsewhere, source=source, progress=lines.append)
    assert "deploying the stack" in lines
    assert issuer_of(cloud) == "http://127.0.0.1:1"


def issuer_of(cloud: Cloud) -> str:
    return str(client(cloud.local, "ssm").get_parameter(Name="issuer")["Parameter"]["Value"])


def test_a_stack_that_does_not_ask_is_told_nothing(cloud: Cloud, tmp_path: Path) -> None:
    template = tmp_path / "template.yaml"
    template.write_text("Resources:\n  Something: {Type: AWS::SQS::Queue}\n")
    assert identity_parameters(cloud.local, template) == {}
    assert parameter_overrides(tmp_path / "samconfig.toml", "local", {}) == []
