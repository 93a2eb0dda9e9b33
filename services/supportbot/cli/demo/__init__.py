"""`supportbot demo`: an invented group, real services, an emulated Zoho Desk."""
