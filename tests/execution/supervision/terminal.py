"""Makes standard input the controlling terminal of a new session, then becomes the command that follows."""

from __future__ import annotations

import fcntl
import os
import sys
import termios

if __name__ == "__main__":
    os.setsid()
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)
    os.execvp(sys.argv[1], sys.argv[1:])
