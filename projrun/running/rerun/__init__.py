"""From a recorded run to the request that carries it out again."""
