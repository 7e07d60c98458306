"""Everything of Transfer Lab that is not a page: data, networks, training, runs, comparison."""
