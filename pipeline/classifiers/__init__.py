"""Classifiers behind one protocol; heavy imports happen inside the registry's builders only."""
