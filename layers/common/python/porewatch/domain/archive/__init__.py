"""How bulky results of a run go to an archive class of S3 and come back. Pure."""
