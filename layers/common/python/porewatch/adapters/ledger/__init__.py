"""The DynamoDB table: runs, stages, budgets, alerts, and idempotency keys.

Each class stores what a rule of `domain` decided; `adapters.table` has the conditional writes.
"""
