from __future__ import annotations

import pytest
from pydantic import ValidationError

from porewatch.domain.errors import ConfigurationRefused
from porewatch.settings import Settings


def test_a_missing_variable_is_named_when_it_is_read() -> None:
    settings = Settings.read({"LEDGER_TABLE": "ledger"})
    assert settings.ledger_table == "ledger"
    with pytest.raises(ConfigurationRefused, match="RAW_BUCKET is not set"):
        _ = settings.raw_bucket


def test_an_empty_variable_counts_as_missing_and_defaults_hold() -> None:
    settings = Settings.read({"BUS_NAME": "", "LINK_SECONDS": ""})
    assert settings.link_seconds == 3600
    with pytest.raises(ConfigurationRefused, match="BUS_NAME"):
        _ = settings.bus_name


def test_values_are_parsed_and_bad_ones_are_named() -> None:
    settings = Settings.read({"SUBNET_IDS": "a, b,", "RUN_BUDGET_USD": "12.5"})
    assert settings.subnet_ids == ("a", "b")
    assert settings.run_budget_usd == 12.5
    with pytest.raises(ConfigurationRefused, match="BASECALLING is 'maybe'"):
        Settings.read({"BASECALLING": "maybe"})


def test_settings_cannot_be_changed() -> None:
    settings = Settings.read({"LEDGER_TABLE": "ledger"})
    with pytest.raises(ValidationError):
        settings.ledger_table = "other"  # type: ignore[misc]


def test_what_is_no_setting_is_an_ordinary_attribute_error() -> None:
    with pytest.raises(AttributeError):
        _ = Settings.read({}).nonsense  # type: ignore[attr-defined]
