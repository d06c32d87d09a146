"""Mail by SES: letters as HTML and text, sending, addresses that get none, and unsubscribing."""
