"""Credentials of workers: a machine's signed identity, the broker, sessions of the role."""
