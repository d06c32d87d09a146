"""Signatures of reports: who signed what, and which signature may come next."""
