"""The operator: makes the cluster what each SupportBot says, and says in its status how it is."""
