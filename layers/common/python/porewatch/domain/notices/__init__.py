"""Notices to people: one kind a module, texts in every language from `messages/`."""
