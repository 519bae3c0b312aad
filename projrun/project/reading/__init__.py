"""From the text of YAML files to records: every mistake has a line and a column."""
