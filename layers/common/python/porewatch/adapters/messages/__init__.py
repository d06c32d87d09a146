"""What is sent and heard: bus, topics, metrics, the workers' queue, answers to Step Functions."""
