"""`supportbot pair`, `unpair` and `groups`: a person's hand on the running gateway, here or in a cluster."""
