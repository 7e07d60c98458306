"""What trained networks make of each image before they answer: features, maps, neighbours."""
