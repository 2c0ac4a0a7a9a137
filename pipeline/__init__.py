"""Stance and claim classification for diplomatic statements."""

__version__ = "0.1.0"
