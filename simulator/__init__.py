"""A pretend launcher: deterministic, on a virtual clock.

What it does not imitate:

* Outages of its own parts: a service, ZooKeeper, HDFS or resource manager that goes down and comes back. What clients see of
  them can be had as faults, and as stories of applications that end so (-7350, -7353).
* One job against another: each has the cluster to itself, but for what a story says of room. So nobody is preempted because
  of somebody else, and the sums over nodes and queues may exceed what there is.
* Resyncs that go wrong by degrees: ``containerConnectionLostCount`` stays 0 until a container is lost.
* What clients do not read: Java stack traces are a frame or two.
* Retention is counted from the submission of a population's job, not from its completion; the resource manager forgets with
  the launcher, and of a large world sums the newest thousand jobs.
* Not recorded, so composed in the manner of what was: texts of refused GPUs, of unknown labels among known ones, of duplicate
  source names.
"""
