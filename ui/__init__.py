"""What two or more pages share."""
