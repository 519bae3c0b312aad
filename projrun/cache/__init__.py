"""The parts of the cache: content-addressed entries, their contents, locks and leases."""
