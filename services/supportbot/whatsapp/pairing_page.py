"""The page on which a person links the bot's phone: one document without anything from elsewhere (pure).

Its script and style stand in it and are allowed by their hashes; it holds no secret, and asks for them with the key
that the person gives it.
"""

import base64
import hashlib
import html
import re
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files

from supportbot.spec import Language


@dataclass(frozen=True)
class Page:
    """A document and what the browser may do with it."""

    html: str
    policy: str
    """Content-Security-Policy."""


def make_page(language: Language) -> Page:
    """The page in a language."""
    folder = files("supportbot.whatsapp") / "static"
    template, style, script = (
        (folder / f"pairing.{kind}").read_text(encoding="utf-8") for kind in ("html", "css", "js")
    )
    words = {**PAGE_WORDS[language], "language": language.value}
    document = re.sub(r"\{\{(\w+)\}\}", lambda found: html.escape(words[found[1]]), template)
    document = document.replace("/*style*/", style).replace("/*script*/", script)
    return Page(document, _policy(style=style, script=script))


def _policy(*, style: str, script: str) -> str:
    allowed = {
        "default-src": "'none'",
        "script-src": _hash(script),
        "style-src": _hash(style),
        "img-src": "blob:",
        "connect-src": "'self'",
        "base-uri": "'none'",
        "form-action": "'none'",
        "frame-ancestors": "'none'",
    }
    return "; ".join(f"{name} {value}" for name, value in allowed.items())


def _hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


PAGE_WORDS: Mapping[Language, Mapping[str, str]] = {
    Language.ES: {
        "heading": "Vincular WhatsApp",
        "key_label": "Clave de API",
        "key_hint": "Se queda en esta pestaña y se olvida al cerrarla.",
        "key_send": "Continuar",
        "key_wrong": "La clave no vale, o solo permite leer.",
        "begin_qr": "Mostrar código QR",
        "begin_code": "Usar un código de 8 caracteres",
        "phone_label": "Número del bot, como +529980000001",
        "stop": "Cancelar",
        "qr_alt": "Código QR para vincular el dispositivo",
        "code_label": "Escribe este código en el teléfono:",
        "expires": "Se renueva en {s} s",
        "until": "Hasta {time}",
        "steps_title": "En el teléfono del bot",
        "step_1": "Abre WhatsApp.",
        "step_2": "Android: ⋮ → Dispositivos vinculados. iPhone: Ajustes → Dispositivos vinculados.",
        "step_3": "Toca «Vincular dispositivo» y escanea el código, o elige «Vincular con número de teléfono».",
        "away": "El servicio no responde; se intenta de nuevo.",
        "warning": "Quien tenga este código tendrá acceso a la cuenta. No lo compartas.",
    },
    Language.EN: {
        "heading": "Link WhatsApp",
        "key_label": "API key",
        "key_hint": "It stays in this tab and is forgotten when you close it.",
        "key_send": "Continue",
        "key_wrong": "The key is not valid, or may only read.",
        "begin_qr": "Show a QR code",
        "begin_code": "Use a code of 8 characters",
        "phone_label": "The bot's number, such as +529980000001",
        "stop": "Cancel",
        "qr_alt": "QR code that links the device",
        "code_label": "Type this code on the phone:",
        "expires": "Renewed in {s} s",
        "until": "Until {time}",
        "steps_title": "On the bot's phone",
        "step_1": "Open WhatsApp.",
        "step_2": "Android: ⋮ → Linked devices. iPhone: Settings → Linked devices.",
        "step_3": "Tap “Link a device” and scan the code, or choose “Link with phone number”.",
        "away": "The service does not answer; trying again.",
        "warning": "Whoever has this code has access to the account. Do not share it.",
    },
    Language.PT: {
        "heading": "Vincular o WhatsApp",
        "key_label": "Chave de API",
        "key_hint": "Fica nesta aba e é esquecida quando você a fecha.",
        "key_send": "Continuar",
        "key_wrong": "A chave não é válida, ou só permite ler.",
        "begin_qr": "Mostrar código QR",
        "begin_code": "Usar um código de 8 caracteres",
        "phone_label": "Número do bot, como +5521900000001",
        "stop": "Cancelar",
        "qr_alt": "Código QR que vincula o dispositivo",
        "code_label": "Digite este código no telefone:",
        "expires": "Renovado em {s} s",
        "until": "Até {time}",
        "steps_title": "No telefone do bot",
        "step_1": "Abra o WhatsApp.",
        "step_2": "Android: ⋮ → Dispositivos conectados. iPhone: Configurações → Dispositivos conectados.",
        "step_3": "Toque em “Conectar dispositivo” e leia o código, ou escolha “Conectar com número de telefone”.",
        "away": "O serviço não responde; tentando de novo.",
        "warning": "Quem tiver este código terá acesso à conta. Não o compartilhe.",
    },
}
