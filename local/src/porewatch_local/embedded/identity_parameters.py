"""What a deploy says of this machine: the identity provider and its client's secret, and mail."""

from __future__ import annotations

import shlex
import tomllib
from contextlib import suppress
from pathlib import Path

import yaml

from porewatch_local.embedded.clients import client
from porewatch_local.paths import LOOPBACK, Home, LocalStack
from porewatch_local.stripe_stand_in import process

SECRET = "porewatch-local/sign-in"  # noqa: S105 - its name
STRIPE_SECRET = "porewatch-local/stripe"  # noqa: S105 - its name


MAIL_FROM = "porewatch@lab.example"


class _Untagged(yaml.SafeLoader):
    """Passes over `!Ref` and the like: only names of parameters are read."""


_Untagged.add_multi_constructor("!", lambda *_: None)


def identity_parameters(stack: LocalStack, template: Path) -> dict[str, str]:
    """OidcIssuer, OidcClientId and OidcClientSecretArn, and those of mail, as far as `template` has
    these parameters.
    The secret is put into Secrets Manager where its address is asked for."""
    declared = yaml.load(template.read_text(), Loader=_Untagged).get("Parameters", {})  # noqa: S506
    if stack.identity is None:
        return {}
    values = {"OidcIssuer": stack.identity.issuer, "OidcClientId": stack.identity.client_id}
    if "MailFrom" in declared:
        _verify_sender(stack)
        values |= {"MailFrom": MAIL_FROM, "PagesUrl": _pages(stack)}
    if "OidcClientSecretArn" in declared:
        values["OidcClientSecretArn"] = _kept(stack, stack.identity.client_secret)
    return {name: value for name, value in values.items() if name in declared}


def _verify_sender(stack: LocalStack) -> None:
    """SES sends from addresses alone that it has verified; the engine's does so at once."""
    ses = client(stack, "sesv2")
    with suppress(ses.exceptions.AlreadyExistsException):
        ses.create_email_identity(EmailIdentity=MAIL_FROM)


def _pages(stack: LocalStack) -> str:
    """By this name of the loopback address, because browsers keep secure cookies there."""
    endpoint = stack.endpoint.replace(LOOPBACK, "localhost")
    return f"{endpoint}/restapis/API_ID/v1/_user_request_"


def stripe_parameters(home: Home, stack: LocalStack, template: Path) -> dict[str, str]:
    """StripeSecretArn, StripePrice, StripeAddress and UnpaidTier, if `template` has them and the
    stand-in for Stripe runs."""
    values = process.said_to_the_stack(home)
    if not values or "StripeAddress" not in template.read_text():
        return {}
    return {**values, "StripeSecretArn": _kept(stack, process.secret(home), STRIPE_SECRET)}


def parameter_overrides(config: Path, table: str, more: dict[str, str]) -> list[str]:
    """`--parameter-overrides` with `more` and those of samconfig.toml, which it would hide."""
    if not more:
        return []
    tables = tomllib.loads(config.read_text()) if config.exists() else {}
    parameters = tables.get(table, {}).get("deploy", {}).get("parameters", {})
    given = shlex.split(parameters.get("parameter_overrides", ""))
    kept = [one for one in given if one.partition("=")[0] not in more]
    return ["--parameter-overrides", *kept, *(f"{name}={value}" for name, value in more.items())]


def _kept(stack: LocalStack, text: str, name: str = SECRET) -> str:
    """The ARN of our secret, which now holds `text`."""
    secrets = client(stack, "secretsmanager")
    try:
        return str(secrets.create_secret(Name=name, SecretString=text)["ARN"])
    except secrets.exceptions.ResourceExistsException:
        return str(secrets.put_secret_value(SecretId=name, SecretString=text)["ARN"])
