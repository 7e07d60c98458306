"""Data: bring a dataset in, and see it before a network learns from it."""

from ui.data import choosing, views
from ui.navigation import page

page("Data", "🗂️")
shown = choosing.choose()
if shown is not None:
    views.show(shown)
