"""What may be found and what is called: panel, bundles, findings, verdict, release policy."""
