"""Runs: what was asked for, what came of it, and where to start from."""
