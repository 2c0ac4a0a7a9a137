"""One workflow a stage: read, call the library, write, track. No printing; see `Watcher`."""
