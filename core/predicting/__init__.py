"""From what people draw and hand in to what networks make of it."""
