import sys

import cloudpickle
import six

print("six", six.__version__, "cloudpickle", cloudpickle.__version__, sys.argv[1:])
