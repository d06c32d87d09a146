"""The `porewatch` command: a module per verb; the same for a deployed stack and a local one."""
