"""Reports and screening without a cloud: screen, validate, compare, audit."""
