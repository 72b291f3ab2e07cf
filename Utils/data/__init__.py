"""Annotations and feature files from users, read defensively, and the demo data.

Import the modules; scripts enter through `sources.open_source`."""
