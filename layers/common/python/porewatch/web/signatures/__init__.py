"""Pages about signatures: what is signed, signing, one signature for print."""
