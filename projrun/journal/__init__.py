"""Run-scoped stores: what a run logged while its tracking store was away, and the merging of it, exactly once."""
