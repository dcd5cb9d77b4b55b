"""Monitor: attaches a schedule to a new version, starts runs, and ends both with the endpoint."""
