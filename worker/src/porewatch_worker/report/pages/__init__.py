"""First page and matrix of samples; details lie in `results`, the rest in `run_record`."""
