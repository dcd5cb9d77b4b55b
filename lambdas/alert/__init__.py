"""Alert: what went wrong becomes one message to people: what, how much, since when, where to look."""
