"""Where the simulated launcher does otherwise than a real one was found to do."""

from collections.abc import Mapping

DIFFERENT: Mapping[str, str] = {
    # Hadoop's and Jetty's, not the launcher's.
    "Hadoop's own servlets (/conf, /jmx, /metrics, /stacks) answer on the launcher's port": (
        "404 here: none of the launcher's clients asks them, and they would tell of a Hadoop that is not there"
    ),
    "/ws/... is 404 on the launcher's port": "here the resource manager answers there, unless --rm-port gives it its own",
    "HTTP/1.0 is answered with a status line of HTTP/1.1": "the WSGI server answers in the version that was asked in",
    "a request that HTTP cannot read is 400 without a body": "the WSGI server says in a sentence what is wrong with it",
    "OPTIONS of a known path describes it in WADL": "the methods stand in Allow; nobody was seen to read the document",
    # Outages of the launcher's own parts.
    "a service that is restarted while an application is created loses it (-7350)": (
        "no part of the simulated launcher restarts; a story can tell of a lost application at any moment"
    ),
    "with the resource manager down a submission is accepted, and waits": "no part is ever down; a starved master waits so",
    "with ZooKeeper down a write blocks, and then all reads of requests": "the fault latency makes any call wait as long",
    "with HDFS down at a submission the whole service stops": "the fault unavailable refuses all connections",
    # Chance.
    "the order of several violations is not stable": "here it is that of the descriptor: one of the orders that were seen",
    "userContainerExitSpec.spec and status maps are in hash order": "here in the order of codes, and of submission",
    "siblings that end with the trigger in one heartbeat stay -7400": (
        "only where they end after it: containers are told of one by one, to the millisecond"
    ),
    "the list of 324 frameworks came in 3 ms, 200 writes in a second": "no behaviour; `make bench` measures ours",
}
"""Finding, and why the simulated launcher does otherwise."""
