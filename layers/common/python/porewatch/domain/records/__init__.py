"""Records of runs and files, as the ledger holds them."""
