"""Launchers the server can stand in front of, other than the simulated one."""
