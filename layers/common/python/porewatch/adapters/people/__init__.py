"""People: sign-in at an identity provider."""
