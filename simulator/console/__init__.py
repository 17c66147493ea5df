"""The page for people at ``/``: jobs, their lives, the clock, faults. It speaks to the control plane and the API, and to nobody else."""
