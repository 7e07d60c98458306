"""Training a run in a process of its own, and what keeps it quick and resumable."""
