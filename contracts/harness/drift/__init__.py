"""Document, schemas, simulator and a real launcher against each other: where one has moved away from the others.

Three comparisons, each of two sides. What cannot be known here comes in as an argument (:mod:`.sides`): the simulator, the
server that presents, and the real launcher, live or recorded.
"""
