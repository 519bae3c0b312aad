"""Processes on this machine: started, watched, signalled and ended."""
