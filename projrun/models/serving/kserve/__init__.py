"""KServe's v2, the Open Inference Protocol, in front of the models of a server."""
