"""Files over HTTP: taken as they arrive, sent as they are read, in ranges, whole or not at all."""
