"""One file per patch. Each states why it exists and when to delete it, and has one `apply()`."""

from __future__ import annotations

from . import (
    batch_jobs,
    batch_messages,
    batch_stack,
    conditional_writes,
    data_api,
    error_type,
    fleet_launch,
    front_door,
    function_processes,
    heartbeat,
    hidden_objects,
    layer_cache,
    leading_keys,
    leftover_ends,
    metering_key,
    policy_variables,
    query_by_key,
    regular_snapshot,
    request_address,
    request_counts,
    restore_times,
    root_key,
    secure_transport,
    sent_mail,
    service_trust,
    stream_position,
    strict_fleets,
    tags_on_create,
    terminated_stay,
    throttled,
    throttled_callers,
    young_buckets,
)

ALL = (
    error_type,
    heartbeat,
    data_api,
    strict_fleets,  # before fleet_launch, which puts its own function in the place of this one
    fleet_launch,
    service_trust,
    leading_keys,
    metering_key,
    policy_variables,
    conditional_writes,
    root_key,
    secure_transport,
    sent_mail,
    layer_cache,
    stream_position,
    terminated_stay,
    batch_jobs,
    batch_stack,
    batch_messages,
    leftover_ends,
    request_address,
    request_counts,
    query_by_key,
    front_door,
    function_processes,
    regular_snapshot,
    tags_on_create,
    throttled,
    throttled_callers,
    young_buckets,
    hidden_objects,
    restore_times,
)


def apply_all() -> list[str]:
    """Apply every patch; returns their names. Raises PatchRefused if one does not fit."""
    for patch in ALL:
        patch.apply()
    return [patch.__name__.rsplit(".", 1)[-1] for patch in ALL]
