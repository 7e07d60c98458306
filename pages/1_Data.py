"""Data: bring a dataset in, and see it before a network learns from it."""

from ui.data import choosing, collecting, importing, link, under_way, views
from ui.frame.navigation import page

page("Data", "🗂️", "The pictures that networks learn from, looked at before one does.")
link.follow()
under_way.show()
shown = choosing.choose()
importing.show()
collecting.show()
if shown is not None:
    views.show(shown)
link.write()
