"""What the cache is made of: content-addressed entries, their contents, locks and leases."""
