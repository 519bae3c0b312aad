"""`projrun gc`: what was deleted in the store, and what this machine keeps for runs that need it no more."""
