"""Attachments in the bot's object store, named by their SHA-256."""


class MediaStore:
    """The object store `<bot>_media`."""

    async def put(self, data: bytes) -> str:
        """Store bytes; their SHA-256 in hex, which is the object's name. Storing them again does nothing."""
        raise NotImplementedError

    async def get(self, sha256: str) -> bytes:
        """The bytes of a hash, verified. Raises PermanentError (`media_missing`) when they are not there (any more)."""
        raise NotImplementedError
