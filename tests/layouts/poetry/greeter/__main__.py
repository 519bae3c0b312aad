import sys

import cloudpickle
import six

print("six", six.__version__.split(".")[0], cloudpickle.__name__, sys.argv[1:])
