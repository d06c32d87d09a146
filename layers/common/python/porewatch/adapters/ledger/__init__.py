"""The DynamoDB table: runs, stages, budgets, alerts, and what makes a second try harmless.

Each class stores what a rule of `domain` decided; `adapters.table` has the conditional writes.
"""
