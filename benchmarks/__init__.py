"""What performance means here, runnable: ratios within one interleaved run, never a timed test (`make bench`)."""
