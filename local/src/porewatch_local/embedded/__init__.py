"""The embedded AWS: engine, PostgreSQL, users, deploy, up and down."""
