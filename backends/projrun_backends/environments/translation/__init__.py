"""conda.yaml without conda: what its dependencies are called on PyPI, and which versions they ask for there."""
