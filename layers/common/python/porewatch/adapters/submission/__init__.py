"""What the ledger and S3 hold of runs that people are sending."""
