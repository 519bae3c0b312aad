"""Answering HTTP: the sockets, the signals that end a server, and its loop around an ASGI application."""
