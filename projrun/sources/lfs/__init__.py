"""The files that a repository keeps in Git LFS."""
