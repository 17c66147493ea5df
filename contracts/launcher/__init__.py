"""The inward promise: what a launcher tells, in which words, and what it can do.

Records at the port, not launcher JSON: records read well and are fast in process, and each dialect module keeps the wire
spelling of both directions side by side, so that the HTTP client and the simulated HTTP launcher share one home for every
wire name.
"""
