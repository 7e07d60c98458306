"""Pictures to look at, to click on and to draw."""
