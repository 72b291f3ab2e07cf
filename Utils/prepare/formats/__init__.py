"""Import of annotations from other tools, and export of detections: a module per
format, and the rules they share. Outside code uses `importing.import_files`,
`export.write` and `export.export`."""
