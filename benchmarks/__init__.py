"""Side-by-side timings: Transfer Lab against the plain Keras scripts a user would write."""
