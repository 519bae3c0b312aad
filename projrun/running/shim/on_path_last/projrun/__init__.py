"""What `import projrun` finds in a run whose environment has no projrun: `projrun.log` of the projrun that runs it.

PYTHONPATH comes before what is installed: a projrun that is takes the place of this one.
"""

import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from importlib.machinery import ModuleSpec

if sys.version_info < (3, 7):
    raise ImportError("projrun.log needs Python 3.7 or newer")

_REMEDY = "projrun is not installed in this environment, which has `projrun.log` alone: add projrun to its requirements"


def _installed() -> "ModuleSpec | None":
    """The spec of a projrun further on the path, or None."""
    import os
    from importlib.machinery import PathFinder

    own = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    others = [folder for folder in sys.path if os.path.abspath(folder) != own]
    for finder in sys.meta_path:
        # Others than this one do not look on the path: those of editable installations.
        found = finder.find_spec("projrun", others if finder is PathFinder else None)
        if found is not None and found.loader is not None:  # no folder that merely has the name
            return found
    return None


def __getattr__(name: str) -> None:
    """Nothing; the error names the remedy."""
    if name in ("run", "rerun"):  # `from projrun import run` would leave out what an AttributeError says
        raise ImportError(_REMEDY)
    raise AttributeError(f"no {name!r} here: {_REMEDY}")


_spec = _installed()
if _spec is not None and _spec.loader is not None:
    from importlib.util import module_from_spec

    sys.modules[__name__] = module_from_spec(_spec)
    _spec.loader.exec_module(sys.modules[__name__])
