"""The report page, its figures, and the provenance of its numbers.

Import the modules; `report.write_report` makes the page."""
