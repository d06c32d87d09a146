"""Messages: event bus, topics, metrics, the worker queue, task tokens of Step Functions."""
