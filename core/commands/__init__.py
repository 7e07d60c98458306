"""`python -m core COMMAND`: everything a page can do, without a page."""
