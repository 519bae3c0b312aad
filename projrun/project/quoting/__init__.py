"""Where a placeholder stands in a shell line, and how a value is written there."""
