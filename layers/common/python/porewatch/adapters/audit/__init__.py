"""What the audit key proves: heads of audit trails, records of days, signatures of reports."""
