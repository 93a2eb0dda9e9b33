"""The ticket service: one Zoho Desk ticket per incident, with everything that belongs to it."""
