"""What running a command in a Docker container takes, for the environment manager `docker`."""
