"""Artifacts: the files of a run, wherever its `artifact_uri` says that they are."""
