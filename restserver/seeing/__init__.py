"""What operators see of a running server: its log, its figures, its traces; and what must never be seen there."""
