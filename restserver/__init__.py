"""The read-only REST API over a launcher: real, recorded or simulated."""
