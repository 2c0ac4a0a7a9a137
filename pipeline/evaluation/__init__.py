"""Scores with intervals from a bootstrap over documents, tables of them, and data for plots."""
