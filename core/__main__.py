"""`python -m core COMMAND`: everything a page can do, without a page."""

import sys

from core.command_line import main
from core.processes import quieten_tensorflow

if __name__ == "__main__":
    quieten_tensorflow()
    sys.exit(main())
