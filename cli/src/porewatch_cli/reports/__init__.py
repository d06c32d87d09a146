"""Reports, and screening without the cloud: screen, validate, compare, audit."""
