"""PostgreSQL: the engine, its errors, the schema's version in a database, and the way from a URI to a store."""
