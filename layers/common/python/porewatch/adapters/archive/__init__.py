"""Archived artefacts: in the ledger, and their storage class in S3."""
