"""The clocks: instances, stale reservations, budgets, orphans, executions."""
