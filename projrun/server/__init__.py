"""The tracking server: a TrackingStore over HTTP and nothing else. `endpoint` serves it to one run's processes."""
