"""The commands, one module each; :mod:`restserver.cli` hangs them in. They end with the exit codes of the interface."""
