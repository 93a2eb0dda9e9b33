"""The gateway to WhatsApp itself, by the library neonize, which runs in a process of its own.

In the service: `gateway` (the port), `supervision` (when the process runs), `process` (one run of it), `memory`.
In the process: `__main__`, `session` and `protobufs` (the only modules that import neonize), `callback`, `commands`.
Pure, in either: `wire` (what they say to each other), `link_states`, `normalise`, `content`, `identity`, `failures`.
"""
