"""Charts, matrices, maps and figures, drawn alike on every page."""
