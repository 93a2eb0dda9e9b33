"""supportbot: from the chatter of a WhatsApp group to one Zoho Desk ticket per incident."""

__version__ = "0.1.0"
