"""What the API and the CLI show: runs and alerts, page by page."""
