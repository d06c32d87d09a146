"""First page and matrix of samples; details are in `results`, the rest in `run_record`."""
