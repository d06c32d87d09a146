"""Pages of the record: phases and tools, timeline, audit trail, cost and carbon, sign-off."""
