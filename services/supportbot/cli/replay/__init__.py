"""`supportbot replay`: an exported chat through the real handlers, in Shadow mode, on conversation time.

`people`, `times` and `events` make events of the export's messages, `pipeline` runs them, `result` folds the trail into
lines and tickets, and `view`, `decisions` and `summary` show those. Only `pipeline` and `command` do I/O.
"""
