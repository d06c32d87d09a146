"""What a deploy says of the identity provider: parameters, and the client's secret."""

from __future__ import annotations

import shlex
import tomllib
from pathlib import Path

import yaml

from porewatch_local.embedded.clients import client
from porewatch_local.paths import LocalStack

SECRET = "porewatch-local/sign-in"  # noqa: S105 - its name


class _Untagged(yaml.SafeLoader):
    """Passes over `!Ref` and the like: only names of parameters are read."""


_Untagged.add_multi_constructor("!", lambda *_: None)


def identity_parameters(stack: LocalStack, template: Path) -> dict[str, str]:
    """OidcIssuer, OidcClientId and OidcClientSecretArn, as far as `template` has these parameters.
    The secret is put into Secrets Manager where its address is asked for."""
    declared = yaml.load(template.read_text(), Loader=_Untagged).get("Parameters", {})  # noqa: S506
    if stack.identity is None:
        return {}
    values = {"OidcIssuer": stack.identity.issuer, "OidcClientId": stack.identity.client_id}
    if "OidcClientSecretArn" in declared:
        values["OidcClientSecretArn"] = _kept(stack, stack.identity.client_secret)
    return {name: value for name, value in values.items() if name in declared}


def parameter_overrides(config: Path, table: str, more: dict[str, str]) -> list[str]:
    """`--parameter-overrides` with `more` and those of samconfig.toml, which it would hide."""
    if not more:
        return []
    tables = tomllib.loads(config.read_text()) if config.exists() else {}
    parameters = tables.get(table, {}).get("deploy", {}).get("parameters", {})
    given = shlex.split(parameters.get("parameter_overrides", ""))
    kept = [one for one in given if one.partition("=")[0] not in more]
    return ["--parameter-overrides", *kept, *(f"{name}={value}" for name, value in more.items())]


def _kept(stack: LocalStack, text: str) -> str:
    """The ARN of our secret, which now holds `text`."""
    secrets = client(stack, "secretsmanager")
    try:
        return str(secrets.create_secret(Name=SECRET, SecretString=text)["ARN"])
    except secrets.exceptions.ResourceExistsException:
        return str(secrets.put_secret_value(SecretId=SECRET, SecretString=text)["ARN"])
