"""The `porewatch` command: one module per verb, the same against a deployed stack and a local one."""
