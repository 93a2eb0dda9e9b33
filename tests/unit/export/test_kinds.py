"""What a message stands for: media, deleted, edited, locations, polls."""

from dataclasses import dataclass

import pytest
from tests.unit.export.parsing import parse, said_on_android, said_on_ios

from supportbot.export.chat import ExportedMessage
from supportbot.export.kinds import media_kind

LRM = "\u200e"


@dataclass(frozen=True)
class Case:
    body: str
    text: str = ""
    media: str | None = None
    filename: str | None = None
    edited: bool = False
    deleted: bool = False


def _case(message: ExportedMessage, body: str) -> Case:
    return Case(body, message.text, message.media, message.filename, message.edited, message.deleted)


PHOTO = "00000012-PHOTO-2026-01-31-09-05-33.jpg"
IMG = "IMG-20260131-WA0001.jpg"

ANDROID = (
    Case("<Multimedia omitido>", media="unknown"),
    Case("<Media omitted>", media="unknown"),
    Case("<Mídia oculta>", media="unknown"),
    Case("<Arquivo de mídia oculto>", media="unknown"),
    Case("<Multimedia omitido>\nla caja 2", "la caja 2", media="unknown"),
    Case("<Video note omitted>", media="video"),
    Case("<View once voice message omitted>", media="audio"),
    Case("<Algo nuevo omitido>", media="unknown"),
    Case(f"{LRM}{IMG} (archivo adjunto)", media="image", filename=IMG),
    Case(f"{IMG} (file attached)", media="image", filename=IMG),
    Case(f"{IMG} (arquivo anexado)\ntela do caixa\n2", "tela do caixa\n2", media="image", filename=IMG),
    Case(f"{LRM}{IMG} (Datei angehängt)", media="image", filename=IMG),
    Case("PTT-20260131-WA0002.opus (archivo adjunto)", media="audio", filename="PTT-20260131-WA0002.opus"),
    Case("STK-20260131-WA0002.webp (archivo adjunto)", media="sticker", filename="STK-20260131-WA0002.webp"),
    Case("VID-20260131-WA0002.mp4 (archivo adjunto)", media="video", filename="VID-20260131-WA0002.mp4"),
    Case("Ventas de enero.xlsx (archivo adjunto)", media="document", filename="Ventas de enero.xlsx"),
    Case("Ana Pérez.vcf (archivo adjunto)", media="contact", filename="Ana Pérez.vcf"),
    Case(f"{LRM}LEEME (archivo adjunto)", media="document", filename="LEEME"),
    Case("Se eliminó este mensaje.", deleted=True),
    Case("Eliminaste este mensaje.", deleted=True),
    Case("This message was deleted", deleted=True),
    Case("This message was deleted by admin Luis", deleted=True),
    Case("You deleted this message", deleted=True),
    Case("Mensagem apagada", deleted=True),
    Case("Esta mensagem foi apagada pelo admin Rafa", deleted=True),
    Case("Você apagou esta mensagem", deleted=True),
    Case("va de nuevo <Se editó este mensaje.>", "va de nuevo", edited=True),
    Case("again <This message was edited>", "again", edited=True),
    Case("de novo\nduas linhas <Mensagem editada>", "de novo\nduas linhas", edited=True),
    Case("<Multimedia omitido>\ncaja 2 <Se editó este mensaje.>", "caja 2", media="unknown", edited=True),
    Case(f"{IMG} (archivo adjunto)\ncaja <Se editó este mensaje.>", "caja", "image", IMG, edited=True),
    Case(
        "ubicación: https://maps.google.com/?q=21.16,-86.85",
        "https://maps.google.com/?q=21.16,-86.85",
        media="location",
    ),
    Case("location: https://maps.google.com/?q=1,2", "https://maps.google.com/?q=1,2", media="location"),
    Case("localização: https://maps.google.com/?q=1,2", "https://maps.google.com/?q=1,2", media="location"),
    Case("ubicación en tiempo real compartida", media="location"),
    Case("live location shared", media="location"),
    Case("null", media="unknown"),
    Case("Waiting for this message. This may take a while.", media="unknown"),
    Case("POLL:\nWho closes?\nOPTION: Ana (2 votes)\nOPTION: Luis (1 vote)", "Who closes?\n- Ana\n- Luis"),
    Case("ENCUESTA:\n¿Quién cierra?\nOPCIÓN: Ana (0 votos)\nOPCIÓN: nadie", "¿Quién cierra?\n- Ana\n- nadie"),
)


@pytest.mark.parametrize("case", ANDROID, ids=lambda case: ascii(case.body))
def test_android(case: Case) -> None:
    assert _case(said_on_android(case.body), case.body) == case


IOS = (
    Case(f"{LRM}imagen omitida", media="image"),
    Case(f"{LRM}Image omitted", media="image"),
    Case(f"{LRM}imagem ocultada", media="image"),
    Case(f"{LRM}video omitido", media="video"),
    Case(f"{LRM}vídeo omitido", media="video"),
    Case(f"{LRM}GIF omitido", media="video"),
    Case(f"{LRM}audio omitido", media="audio"),
    Case(f"{LRM}áudio ocultado", media="audio"),
    Case(f"{LRM}sticker omitido", media="sticker"),
    Case(f"{LRM}figurinha omitida", media="sticker"),
    Case(f"{LRM}documento omitido", media="document"),
    Case(f"{LRM}Tarjeta de contacto omitida", media="contact"),
    Case(f"{LRM}Contact card omitted", media="contact"),
    Case(f"{LRM}Mensaje de voz de una sola visualización omitido", media="audio"),
    Case("image omitted", media="image"),
    Case(f"Factura 12.pdf • {LRM}2 páginas {LRM}documento omitido", media="document", filename="Factura 12.pdf"),
    Case(f"Factura 12.pdf {LRM}documento omitido", media="document", filename="Factura 12.pdf"),
    Case(f"mira la caja {LRM}imagen omitida", "mira la caja", media="image"),
    Case(f"{LRM}<adjunto: {PHOTO}>", media="image", filename=PHOTO),
    Case(f"<attached: {PHOTO}>", media="image", filename=PHOTO),
    Case(f"{LRM}<anexado: {PHOTO}>", media="image", filename=PHOTO),
    Case(f"mira la caja {LRM}<adjunto: {PHOTO}>", "mira la caja", media="image", filename=PHOTO),
    Case(f"{LRM}<adjunto: {PHOTO}>\nmira la caja", "mira la caja", media="image", filename=PHOTO),
    Case(
        f"Factura.pdf • {LRM}2 páginas {LRM}<adjunto: 00000015-Factura.pdf>",
        media="document",
        filename="00000015-Factura.pdf",
    ),
    Case("2015-08-04-PHOTO-00004762.jpg <attached>", media="image", filename="2015-08-04-PHOTO-00004762.jpg"),
    Case(f"{LRM}Se eliminó este mensaje.", deleted=True),
    Case(f"{LRM}This message was deleted.", deleted=True),
    Case(f"{LRM}Mensagem apagada", deleted=True),
    Case(f"va de nuevo {LRM}<Se editó este mensaje.>", "va de nuevo", edited=True),
    Case(f"again {LRM}<This message was edited.>", "again", edited=True),
    Case(f"{LRM}Ubicación: https://maps.google.com/?q=1,2", "https://maps.google.com/?q=1,2", media="location"),
    Case(f"{LRM}POLL:\nWho?\n{LRM}OPTION: Ana ({LRM}2 votes)", "Who?\n- Ana"),
)


@pytest.mark.parametrize("case", IOS, ids=lambda case: ascii(case.body))
def test_ios(case: Case) -> None:
    assert _case(said_on_ios(case.body), case.body) == case


PEOPLE = (
    "el documento del proveedor fue omitido",
    "documento del proveedor omitido",
    "ver (archivo adjunto)",
    "se eliminó este mensaje de la caja, qué hago",
    "<Se editó este mensaje.> dice el celular",
    "la ubicación: no la encuentro",
    "encuesta:",
    "null pointer en la caja",
    "precio <100 y >50",
    "nullo",
    "llamada perdida",
    "el sistema fue eliminado por Luis",
)


@pytest.mark.parametrize("text", PEOPLE)
@pytest.mark.parametrize("said", [said_on_android, said_on_ios])
def test_what_people_write_stays(said: object, text: str) -> None:
    assert callable(said)
    message = said(text)
    assert _case(message, text) == Case(text, text)
    assert message.author == "Ana"


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("00000012-GIF-2026-01-31-09-05-33.mp4", "video"),
        ("00000012-STICKER-2026-01-31-09-05-33.webp", "sticker"),
        ("DOC-20260131-WA0007.jpg", "document"),
        ("foto.HEIC", "image"),
        ("nota", "document"),
        ("IMG-tienda.pdf", "document"),
    ],
)
def test_the_kind_in_a_name(name: str, kind: str) -> None:
    assert media_kind(name) == kind


@pytest.mark.parametrize(
    ("body", "mentions"),
    [
        ("hola @\u2068Luis Pérez\u2069 y @\u2068~\u202fÑ\u2069", ("Luis Pérez", "~\u202fÑ")),
        ("@529985550101 te toca", ("529985550101",)),
        ("@Luis Pérez te toca", ("Luis Pérez",)),
        ("@Luisa te toca", ("Luisa",)),
        ("@todos y @todos", ("todos",)),
        ("escribe a ana@example.com", ()),
        ("a las 9 @ la caja", ()),
        ("la 909 no abre", ()),
    ],
)
def test_mentions(body: str, mentions: tuple[str, ...]) -> None:
    """Older exports do not say where a name ends; the chat's authors are known, though."""
    chat = parse(f"31/1/26, 9:05 - ~ Luis Pérez: va\n31/1/26, 9:05 - Luis: va\n31/1/26, 9:05 - Ana: {body}")
    assert chat.messages[2].mentions == mentions
    assert all(f"@{mention}" in chat.messages[2].text for mention in mentions)


def test_joined_emojis_stay_whole() -> None:
    assert said_on_ios("👩‍💻 listo").text == "👩‍💻 listo"
