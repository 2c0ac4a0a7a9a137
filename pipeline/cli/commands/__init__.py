"""One thin command a stage."""
