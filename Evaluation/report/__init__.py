"""What a person looks at: the report page, its figures, and where the numbers come from.

Import the modules; `report.write_report` makes the page."""
