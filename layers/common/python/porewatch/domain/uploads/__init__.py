"""A run as it arrived: the tar, the stored files, whether it may start."""
