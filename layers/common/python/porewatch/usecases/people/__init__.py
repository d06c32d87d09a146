"""What people do with accounts: sign in, be known, invite, make tokens."""
