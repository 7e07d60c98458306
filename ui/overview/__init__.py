"""Overview: the question, the answer so far and the pictures that show it, and what comes next."""
