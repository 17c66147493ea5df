"""A dozen recordings of a real launcher, shipped so that ``--backend recorded`` has something to show: plain successes, a
failure, retries, a stop, an upgrade and the way back, a delete, a back-off, too much memory, a restart of the launcher."""
