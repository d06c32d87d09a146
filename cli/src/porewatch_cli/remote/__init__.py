"""A Porewatch server by its API, with a token: for users without AWS credentials."""
