"""`projrun.log` of the projrun that runs this command, where it is installed."""

import os
import sys
from importlib.util import module_from_spec, spec_from_file_location

_FOLDER = os.path.join(os.path.abspath(__file__).rsplit(os.sep, 5)[0], "log")
_spec = spec_from_file_location(
    __name__, os.path.join(_FOLDER, "__init__.py"), submodule_search_locations=[_FOLDER]
)
sys.modules[__name__] = module_from_spec(_spec)  # type: ignore[arg-type]  # a file has one
_spec.loader.exec_module(sys.modules[__name__])  # type: ignore[union-attr]
