"""What people bring: annotations and feature files, read with care, and the demo data.

Import the modules; `sources.open_source` is the way in for scripts."""
