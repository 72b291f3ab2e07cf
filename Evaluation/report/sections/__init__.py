"""The content of the report's sections, as plain dicts that page/parts.js draws."""
