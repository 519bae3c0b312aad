"""`projrun doctor`: what projrun finds on this machine, what is wrong with it, and what to do."""
