"""Settings of every stage: one frozen model each, unknown keys forbidden."""
