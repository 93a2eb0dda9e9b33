"""The model tier: a turn goes to a language model as a closed question, and comes back as a checked opinion."""
