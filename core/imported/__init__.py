"""Datasets that were imported into the workspace, as they are kept there."""
