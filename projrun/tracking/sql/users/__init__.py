"""Users of a shared store in SQL: accounts and tokens, roles and grants."""
