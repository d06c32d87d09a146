"""People: users, groups, projects, roles, and what a role may do. Pure."""
