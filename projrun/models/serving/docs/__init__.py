"""The addresses of a scoring server, documented by the signatures of its models."""
