"""The tests; a folder mirrors a room of the program."""

import sys

# As `scripts/test` does: without its cache pytest rewrites every test file in every worker, 8 s each.
sys.dont_write_bytecode = False
