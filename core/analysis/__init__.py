"""What the stored predictions of runs tell; nothing here loads a network."""
