import sys

import six

print("six", six.__version__.split(".")[0], "%d.%d" % sys.version_info[:2], sys.argv[1:])
