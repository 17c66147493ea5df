"""What is promised at each boundary: outward to clients, inward to launchers. Knows nothing else in this project."""
