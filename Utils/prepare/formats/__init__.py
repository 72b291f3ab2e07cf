"""Annotations of other tools in, detections out: a module per format, and the rules they share.
Import from it `importing.import_files`, `export.write` and `export.export`."""
