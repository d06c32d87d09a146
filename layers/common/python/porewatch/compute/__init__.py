"""Machines: the executor every use case speaks to, and EC2 fleets behind it."""
