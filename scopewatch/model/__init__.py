"""Plain data and pure functions: what a run recorded and what follows from it."""
