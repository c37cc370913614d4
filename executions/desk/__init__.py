"""The review desk: what waits for a person, and how the person decides."""
