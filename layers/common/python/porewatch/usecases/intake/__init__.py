"""From an upload to a running execution: files checked, tars unpacked, runs sealed and started."""
