"""Routes of the API, one file for each group: from what a request says to a use case."""
