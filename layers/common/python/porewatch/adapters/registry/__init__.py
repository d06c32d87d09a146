"""The registry in Aurora PostgreSQL: `database` (Data API), `rows` (SQL), `erasure`, migrations."""
