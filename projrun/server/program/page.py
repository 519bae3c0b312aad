"""The page at `/`: what this server is, and how to point a client at it."""

from __future__ import annotations

from html import escape

from projrun.version import __version__

_PAGE = """\
<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>projrun server</title>
<style>
body {{ font: 16px/1.5 system-ui, sans-serif; max-width: 44rem; margin: 3rem auto; padding: 0 1rem; color: #222 }}
pre {{ background: #f4f4f4; padding: .8rem 1rem; overflow-x: auto }}
</style>
<h1>projrun server</h1>
<p>This is a tracking server and model registry, version {version}. It answers MLflow's REST API, so the
<code>mlflow</code> client and <code>projrun</code> record to it. To use it:</p>
<pre>export MLFLOW_TRACKING_URI={address}
projrun run .                  # or: mlflow run ., python train.py
projrun runs list</pre>
<p>In Python:</p>
<pre>import mlflow
mlflow.set_tracking_uri("{address}")</pre>
"""


def page(address: str) -> bytes:
    """As HTML; `address` is where the browser reached the server."""
    return _PAGE.format(version=escape(__version__), address=escape(address)).encode()
