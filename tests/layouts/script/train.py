# /// script
# requires-python = ">=3.9"
# dependencies = ["six>=1.15"]
# ///
import sys

import six

print("six", six.__version__.split(".")[0], sys.argv[1:])
