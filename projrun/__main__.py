"""``python -m projrun`` is the ``projrun`` command."""

from projrun.cli import main

if __name__ == "__main__":
    main()
