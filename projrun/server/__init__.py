"""The tracking server: a RunStore over HTTP and nothing else. `endpoint` serves it to one run's processes."""
