"""Runs that go on while other commands come and go: starting them detached, following and ending them."""
