"""What a function is told by its environment. The only reader of the environment in this package.

Read on first use, never at import. Not every function gets every variable: asking for one that is
not set raises `ConfigurationRefused` with its name, at the moment it is asked for.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from functools import cache
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, TypeAdapter, ValidationError

from porewatch.domain.calls.release_policy import ANY
from porewatch.domain.errors import ConfigurationRefused
from porewatch.domain.people.provider_choices import GLOBUS, Algorithm, ClientAuthentication
from porewatch.domain.stage.instances import ExecutorChoice
from porewatch.domain.tiers.tier import TierName

EMBEDDED_ACCOUNT = "000000000000"


def _by_comma(text: object) -> object:
    return tuple(filter(None, text.replace(" ", "").split(","))) if isinstance(text, str) else text


class Settings(BaseModel):
    """Field `ledger_table` is variable `LEDGER_TABLE`, and so on."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    stack_name: str
    ledger_table: str
    people_table: str
    api_key_id: str
    people_key_id: str
    raw_bucket: str
    results_bucket: str
    reports_bucket: str
    queue_url: str
    bus_name: str
    state_machine_arn: str
    worker_queue_url: str
    notice_topic_arn: str
    alert_topic_arn: str
    escalation_topic_arn: str
    escalate_minutes: int = 30
    launch_template_id: str
    ami_id: str = ""
    subnet_ids: Annotated[tuple[str, ...], BeforeValidator(_by_comma)]
    subnet_zones: Annotated[tuple[str, ...], BeforeValidator(_by_comma)] = ()
    db_cluster_arn: str
    db_secret_arn: str
    db_name: str
    default_bundle: str
    release_policies: Annotated[tuple[str, ...], BeforeValidator(_by_comma)] = (ANY,)
    references_bucket: str = ""
    anchors_bucket: str = ""
    bundles_elsewhere: bool = True
    basecalling: Literal["enabled", "disabled"] = "disabled"
    link_seconds: int = 3600
    reports_days: int
    results_days: int
    archive_dead_letters_url: str
    run_budget_usd: float = 25.0
    executor: ExecutorChoice = "ec2-then-batch"
    spot_queue: str = ""
    on_demand_queue: str = ""
    job_definition: str = ""
    gpu_job_definition: str = ""
    account_budget_usd: float = 0.0
    reaper_dry_run: bool = False
    worker_role_id: str = ""
    worker_role_arn: str
    machine_role_id: str
    message_key_arn: str
    audit_key_arn: str
    worker_dead_letters_url: str
    webhook_key_arn: str
    account_id: str
    delivery_queue_url: str
    delivery_dead_letters_url: str
    api_url: str
    mail_from: str = ""
    mail_configuration_set: str = ""
    mail_key_arn: str
    pages_url: str = ""
    rest_api_id: str
    dead_letters_url: str
    expiry_group: str = ""
    expiry_target_arn: str = ""
    expiry_role_arn: str = ""
    oidc_issuer: str = GLOBUS
    oidc_client_id: str
    oidc_client_secret_arn: str = ""
    oidc_algorithms: Annotated[tuple[Algorithm, ...], BeforeValidator(_by_comma)] = ("RS512",)
    oidc_client_authentication: ClientAuthentication = "client_secret_basic"
    four_eyes: bool = True
    stripe_secret_arn: str = ""
    stripe_price: str = ""
    stripe_address: str = "https://api.stripe.com"
    billing_queue_url: str
    billing_dead_letters_url: str
    unpaid_tier: TierName = TierName.PREMIUM
    aws_region: str = "us-east-1"

    @property
    def topics(self) -> tuple[str, str, str]:
        """Alerts, notices, escalations."""
        return self.alert_topic_arn, self.notice_topic_arn, self.escalation_topic_arn

    @property
    def pages_root(self) -> str:
        """Where the pages lie, without a slash at the end. On the embedded AWS the address has the
        API's id inside, which nobody knows before the deploy."""
        return self.pages_url.replace("API_ID", self.rest_api_id)

    @property
    def sells(self) -> bool:
        """Whether a tier can be bought here."""
        return bool(self.stripe_price) and self.unpaid_tier is TierName.FREE

    @property
    def webhooks_to_loopback(self) -> bool:
        """Whether a webhook may be sent to this machine by plain http: on the embedded AWS alone,
        which is known by an account number that AWS gives nobody. No parameter sets it."""
        return self.account_id == EMBEDDED_ACCOUNT

    if not TYPE_CHECKING:

        def __getattr__(self, name: str) -> Any:
            """Only reached for fields that were not in the environment."""
            if name in type(self).model_fields:
                raise ConfigurationRefused(
                    f"the environment variable {name.upper()} is not set.",
                    remedy="set it in template.yaml for this function and deploy again.",
                )
            return super().__getattr__(name)

    @classmethod
    def read(cls, environment: Mapping[str, str]) -> Settings:
        """Settings out of `environment`; variables that are missing or empty stay unset.

        Raises ConfigurationRefused for a value that does not parse.
        """
        values: dict[str, Any] = {}
        for name, field in cls.model_fields.items():
            text = environment.get(name.upper(), "")
            if text:
                values[name] = _parsed(name, text, field.rebuild_annotation())
        return cls.model_construct(**values)


def _parsed(name: str, text: str, annotation: Any) -> Any:
    try:
        return TypeAdapter(annotation).validate_python(text)
    except ValidationError as error:
        why = error.errors()[0]["msg"]
        raise ConfigurationRefused(
            f"the environment variable {name.upper()} is {text!r}: {why}."
        ) from error


@cache
def settings() -> Settings:
    """The settings of this process, read once. `settings.cache_clear()` makes tests read anew."""
    return Settings.read(os.environ)


def traced() -> bool:
    """True while an invocation runs whose trace is sampled (set by Lambda for each invocation)."""
    return "Sampled=1" in os.environ.get("_X_AMZN_TRACE_ID", "")
