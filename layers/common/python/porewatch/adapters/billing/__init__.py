"""The payment provider, whom its customers are, and the queue of what it says."""
