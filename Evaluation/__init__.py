"""Scores of detections: matching, suppression, average precision, average recall.

Import the modules; they work on numpy arrays and need no torch."""
