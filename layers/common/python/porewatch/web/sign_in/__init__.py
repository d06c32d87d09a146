"""Coming in: by the identity provider, and by an invitation."""
