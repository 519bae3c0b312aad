from __future__ import annotations

import os
import subprocess
from pathlib import Path

from projrun.sources.git.command import git_environ


def effective(environ: dict[str, str], key: str) -> str:
    done = subprocess.run(
        ["git", "config", "--get", key], env=environ, capture_output=True, text=True, cwd="/"
    )
    return done.stdout.strip()


def test_settings_are_added_after_the_callers(environ: dict[str, str]) -> None:
    caller = {
        **environ,
        "GIT_CONFIG_COUNT": "2",
        "GIT_CONFIG_KEY_0": "user.name",
        "GIT_CONFIG_VALUE_0": "kept",
        "GIT_CONFIG_KEY_1": "core.fsmonitor",
        "GIT_CONFIG_VALUE_1": "touch x",
    }
    made = git_environ(caller, protocols="https", settings=[("filter.a=b.clean", "x y")])
    assert effective(made, "user.name") == "kept"
    assert effective(made, "core.fsmonitor") == "false"
    assert effective(made, "filter.a=b.clean") == "x y"
    assert caller["GIT_CONFIG_COUNT"] == "2"


def test_no_setting_of_a_git_around_us_goes_before(environ: dict[str, str]) -> None:
    """`git -c` tells the commands that it starts, such as hooks, in a variable that comes last."""
    words = ["git", "-c", "core.hooksPath=.githooks", "-c", "alias.env=!env -0", "env"]
    told = subprocess.run(words, env=environ, capture_output=True, text=True, check=True).stdout
    caller = dict(item.partition("=")[::2] for item in told.split("\0") if item)
    assert effective(caller, "core.hooksPath") == ".githooks"
    assert effective(git_environ(caller, protocols="none"), "core.hooksPath") == os.devnull


def test_a_count_that_is_no_number_is_replaced(environ: dict[str, str]) -> None:
    assert (
        effective(git_environ({**environ, "GIT_CONFIG_COUNT": "x"}, protocols="none"), "core.fsmonitor")
        == "false"
    )


def test_variables_of_a_git_hook_do_not_lead_elsewhere(tmp_path: Path, environ: dict[str, str]) -> None:
    known = subprocess.run(
        ["git", "rev-parse", "--local-env-vars"], capture_output=True, text=True, check=True
    )
    names = set(known.stdout.split()) - {"GIT_CONFIG_COUNT"}
    made = git_environ({**environ, **dict.fromkeys(names, "/elsewhere")}, protocols="none")
    assert not names & set(made)
