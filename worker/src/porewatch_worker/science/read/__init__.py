"""One read: split at adapters, demultiplexed, filtered, assigned to panel or host."""
