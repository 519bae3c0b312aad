from __future__ import annotations

from projrun.running.backend_config import shown_config


def test_only_the_keys_are_shown() -> None:
    config = {
        "partition": "gpu",
        "private_key": "hunter2",
        "env": {"pwd": "hunter2", "urls": ["https://me:hunter2@host/x", 5]},
        "arguments": ["--password=hunter2", {"pat": "hunter2"}],
        "pin": 1234,
        "none": None,
    }
    assert shown_config(config) == {
        "partition": "***",
        "private_key": "***",
        "env": {"pwd": "***", "urls": ["***", "***"]},
        "arguments": ["***", {"pat": "***"}],
        "pin": "***",
        "none": "***",
    }
