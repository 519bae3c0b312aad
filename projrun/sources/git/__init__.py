"""Git repositories: fetching a commit by way of the cache."""
