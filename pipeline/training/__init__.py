"""Splits by document, calibration and thresholds; nothing here is fitted on what is reported."""
