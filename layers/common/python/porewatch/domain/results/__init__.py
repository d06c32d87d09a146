"""The end of a run: results joined, report, publishing, audit trail and its anchors."""
