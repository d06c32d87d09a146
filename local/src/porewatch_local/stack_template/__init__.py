"""The SAM template: read, checked by our rules, priced at rest, compared with the last release."""
