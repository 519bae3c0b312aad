"""`--require-clean`: a run whose source is a commit, or an archive, and nothing else."""

from __future__ import annotations

from projrun.errors import RequestError
from projrun.sources.checkout import Checkout
from projrun.sources.git.work_tree import WorkTree

_MOST_NAMED = 3


def check_clean(checkout: Checkout, origin: str) -> None:
    """Raises RequestError, which names what is uncommitted; `origin` is where the rule came from.

    What was fetched is clean, unless the changes of a repeated run were applied to it.
    """
    if checkout.cached is not None:
        if checkout.dirty:
            raise RequestError(
                f"{origin}: the run to repeat had uncommitted changes",
                hint="skip them with --without-patch",
            )
        return
    tree = checkout.work_tree
    if tree is None:
        raise RequestError(
            f"{origin}: {checkout.directory} is not in a git repository, so its state is unknown",
            hint="commit it to a repository",
        )
    _check_work_tree(tree, checkout, origin)


def _check_work_tree(tree: WorkTree, checkout: Checkout, origin: str) -> None:
    if tree.warnings:
        raise RequestError(f"{origin}: git cannot check whether the project is clean: {tree.warnings[0]}")
    if tree.dirty:
        raise RequestError(
            f"{origin}: the project has uncommitted changes: {_named(tree.changed + tree.untracked)}",
            hint="commit or stash them",
        )
    if tree.commit is None:
        raise RequestError(
            f"{origin}: {checkout.directory} is in no commit: its repository ignores it, or has none yet",
            hint="commit it",
        )


def _named(paths: tuple[str, ...]) -> str:
    names = [path if path.isprintable() else repr(path) for path in paths[:_MOST_NAMED]]
    more = len(paths) - len(names)
    return ", ".join(names) + (f" and {more} more" if more else "")
