"""Pages of results: findings, PERV, limits of detection, samples, host, what was not screened."""
