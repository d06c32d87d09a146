"""Instances: the executors that use cases call, EC2 fleets and AWS Batch."""
