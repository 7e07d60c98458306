"""Lets a dry run time nothing for long: its clock goes fifty times as fast. For PYTHONPATH."""

import sys
import time

if "core.training.dry_run" in sys.orig_argv:
    now = time.perf_counter
    time.perf_counter = lambda: 50 * now()
