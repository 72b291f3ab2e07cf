"""From predictions to detections: proposals, their file, suppression, fusion, voting.

Import the modules; they work on numpy arrays and need no torch."""
