"""Import annotations from other tools and export detections.

There is a module per format, and some for what they share. Code outside uses
`importing.import_files`, `export.write` and `export.export`.
"""
