"""What CI systems show of a run: folded parts of the log, annotations, a summary, JUnit XML."""
