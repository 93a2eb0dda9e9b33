"""How well a tier judges conversations that people have labelled. Used by `supportbot eval` and `supportbot label`.

`conversation` is the data, `sheet` the same for a person to fill in, `faults` what can be wrong with it. `run` lets a
tier of `tiers` decide, or `recorded` reads what a replay decided; `measures` counts, `interval` says how sure that is,
`report` tells, `compare` sets two reports side by side. Nothing in production imports this package.
"""
