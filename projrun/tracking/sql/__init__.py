"""The SQL store: every SQL statement of projrun is in this package. `SqlStore` is in `store`."""
