from __future__ import annotations

from projrun.running.backend_config import shown_config


def test_no_secret_is_shown() -> None:
    config = {
        "partition": "gpu",
        "api_key": "hunter2",
        "env": {"DB_PASSWORD": "hunter2", "urls": ["https://me:hunter2@host/x", 5]},
        "count": 3,
        "on": True,
    }
    assert shown_config(config) == {
        "partition": "gpu",
        "api_key": "***",
        "env": {"DB_PASSWORD": "***", "urls": ["https://host/x", 5]},
        "count": 3,
        "on": True,
    }
