"""A look into networks, layer by layer and channel by channel."""
