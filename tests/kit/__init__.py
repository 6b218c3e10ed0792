"""Real servers and real processes for tests: nothing in here pretends."""
