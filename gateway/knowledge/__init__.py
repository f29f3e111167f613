"""What a clinic lets the agent know: documents read, cut into passages, found while the caller waits."""
