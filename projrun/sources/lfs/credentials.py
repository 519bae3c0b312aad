"""Credentials for git-lfs, which retries rejected ones for ever (tried with 3.3)."""

from __future__ import annotations

from pathlib import Path

from projrun.sources.git.process import Git

_ASK_ONCE = """\
!f() {
    told=$(cat)
    refused=$PROJRUN_LFS_REFUSED/$(printf '%s\\n' "$told" | sed -n 's/^host=//p' | tr -c A-Za-z0-9 _)
    unset GIT_ASKPASS
    test -z "$PROJRUN_LFS_ASKPASS" || export GIT_ASKPASS="$PROJRUN_LFS_ASKPASS"
    case $1 in
        get) test -e "$refused" && return; word=fill ;;
        store) word=approve ;;
        erase) : > "$refused"; word=reject ;;
    esac
    printf '%s\\n\\n' "$told" | GIT_CONFIG_COUNT=$PROJRUN_LFS_CONFIG_COUNT git credential $word
}; f"""

ASK_ONCE = (("credential.helper", ""), ("credential.helper", _ASK_ONCE))
"""git settings, to be placed last: all credentials come from one helper, which never repeats a refused one."""


def ask_once(git: Git, folder: Path) -> None:
    """Set the environment of a git that has ASK_ONCE last among its settings; refusals are kept in an empty folder."""
    before = int(git.environ["GIT_CONFIG_COUNT"]) - len(ASK_ONCE)
    git.environ.update(
        PROJRUN_LFS_CONFIG_COUNT=str(before),  # the helpers that git has without these settings
        PROJRUN_LFS_REFUSED=str(folder),
        PROJRUN_LFS_ASKPASS=git.environ.get("GIT_ASKPASS", ""),
        GIT_ASKPASS="",  # asked by the helper alone
    )
