"""From a recorded run to a request that repeats it."""
