"""What is around every page: navigation, style, explained words, keys."""
