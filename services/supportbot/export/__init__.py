"""Reads the chats that WhatsApp's "Export chat" writes: `supportbot.export.chat.read_chat`.

`archive` opens the file safely, `lines` finds the message lines, `dates` the order of day and month, `authors` who
wrote, `kinds` and `notices` what was written; the words of WhatsApp's own user interface are in `wordings`.
There is no published format: the forms follow public parsers, their fixtures and their issues
(whatsapp-chat-parser, whatstk, WhatsR). Only `archive` reads files; all else is pure.
"""
