"""Running a command in a Docker container, for the environment manager `docker`."""
