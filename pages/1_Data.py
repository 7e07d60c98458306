"""Data: bring a dataset in, and see it before a network learns from it."""

from ui.data import choosing, link, views
from ui.navigation import page

page("Data", "🗂️")
link.follow()
shown = choosing.choose()
if shown is not None:
    views.show(shown)
link.write()
