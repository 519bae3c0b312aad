"""Commands about what a tracking store holds."""
