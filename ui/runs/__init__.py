"""Runs wherever they are shown: watched, listed, laid over each other, changed and deleted."""
