"""The parts of the page Train: settings, the network they make, launching it."""
