"""AWS behind small classes. Each translates ClientError into `domain.errors` exactly once."""
