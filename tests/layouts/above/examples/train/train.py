import sys

import six

print("six", six.__version__.split(".")[0], sys.argv[1:])
