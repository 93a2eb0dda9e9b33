"""Makes the weights of the local tier from labelled conversations. Run by `make train`; nothing in production uses it.

`examples` turns conversations and single lines into inputs and labels, `fit` into weights.
"""
