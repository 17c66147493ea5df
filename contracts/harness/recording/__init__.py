"""``restserver record``: follows a launcher and its resource manager, only ever asking, and writes down what changes.

What it writes is the format of :mod:`contracts.launcher.recordings`, so that everything which reads recordings reads these. It
knows no HTTP: how a launcher is asked comes in as a function.

Choices, and why:

* **Lines go to a plain file, each in one write; a file that is full or old is then packed.** Whatever kills the recorder, what
  it wrote is in the file, and at most the last line is torn. A packed stream would hold back what its compressor still has.
* **A start begins a new file** and reads what is there already, so that it goes on where it was: only changes are written, and
  what vanished meanwhile is asked for once more and seen to be gone.
* **What is asked is what the archiver asks**: the list, everything that lives, what the list says something new of, and what
  completed once more. A silence is written for everything that was asked in vain, so a replay is silent where the launcher was.
* **The body of the list itself is written once per file**: it is large, changes with every framework, and tells nothing that
  the answers about each framework do not.
* **Recordings of the private dialect** are told apart by their paths. They serve to compare structure and to name jobs to test
  with; the recorded backend replays the open dialect only.
"""
