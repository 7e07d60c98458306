"""`python -m core COMMAND`: everything a page can do, without a page."""

import sys

from core.commands.command_line import main

if __name__ == "__main__":
    sys.exit(main())
