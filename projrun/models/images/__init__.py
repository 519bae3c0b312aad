"""Images that serve a model: the folder that one is built from, and building it."""
