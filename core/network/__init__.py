"""Networks: what is known of each without building it, building and cutting them, their weights."""
