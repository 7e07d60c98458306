"""Datasets: where they come from, which images a run gets of them, and how these are prepared."""
