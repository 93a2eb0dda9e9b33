import pytest

from supportbot.whatsapp.file_types import sniff_type


@pytest.mark.parametrize(
    ("data", "media_type"),
    [
        (b"\xff\xd8\xff\xe0\x00\x10JFIF", "image/jpeg"),
        (b"\x89PNG\r\n\x1a\n....", "image/png"),
        (b"RIFF\x10\x00\x00\x00WEBPVP8 ", "image/webp"),
        (b"RIFF\x10\x00\x00\x00WAVEfmt ", "audio/wav"),
        (b"\x00\x00\x00\x18ftypisom....", "video/mp4"),
        (b"\x00\x00\x00\x18ftyp3gp5....", "video/3gpp"),
        (b"\x00\x00\x00\x18ftypqt  ....", "video/quicktime"),
        (b"\x00\x00\x00\x18ftypM4A ....", "audio/mp4"),
        (b"OggS\x00\x02", "audio/ogg"),
        (b"%PDF-1.7", "application/pdf"),
        (b"MZ\x90\x00", "application/vnd.microsoft.portable-executable"),
        (b"PK\x03\x04", None),
        (b"hola", None),
        (b"", None),
    ],
)
def test_knows_files_by_their_first_bytes(data: bytes, media_type: str | None) -> None:
    assert sniff_type(data) == media_type
