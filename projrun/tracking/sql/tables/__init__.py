"""The `Tables` of a database: many runs at once, by columns."""
