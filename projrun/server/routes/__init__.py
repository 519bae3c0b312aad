"""The routes, one module for each kind of thing. A handler turns a message into one call of the store."""
