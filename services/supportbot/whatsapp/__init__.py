"""The whatsapp service: the only process that talks to the group, in and out."""
