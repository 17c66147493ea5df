"""The attempts and versions that a launcher of the open dialect forgets: followed, stored, recovered, answered.

Such a launcher tells the current attempt and nothing else (rulings 6.2). An archiver polls it and keeps what it saw, asks the
resource manager for what polling missed (6.6, 6.7), and :mod:`.remembering` puts the past beside what the launcher says now.

What cost an argument:

* **What is stored** is the launcher's own document, compressed, one row per (name, incarnation, run, attempt), with a mark of
  how it came to be. Options were columns per field (a migration with every field), or our own encoding of records. The
  document needs no second home of wire names, and even a recovered attempt has one: numbering needs an attempt of the same run
  that a poll saw, and that one brings the request.
* **A run begins** only with a newer request, so an answer with an older ``lastRequestTimestamp`` that does not fit what is
  stored is stale (a cache, a slow reply) and changes nothing.
* **What the server has answered is remembered.** An attempt that stood in an answered list must stay there (law L8) even if no
  poll ever sees it, so the lists store the current attempt before they answer.
* **A recovered attempt without an exit report** is told as APPLICATION_RETRIEVING_DIAGNOSTICS: the one state of the machine in
  which an application has ended, its diagnostics are the resource manager's text, and its code is not known.
* **Numbering is never guessed.** An older run's attempts after the last one that a poll saw, or a run that no poll saw, have
  nothing to count against: they are strays, told to operators and to nobody else.
"""
