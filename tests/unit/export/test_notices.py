"""Notices by WhatsApp are told from messages by people, in both forms."""

import pytest
from tests.unit.export.parsing import parse, said_on_ios

from supportbot.export.notices import title_of

LRM = "\u200e"

NOTICES = (
    "Los mensajes y las llamadas están cifrados de extremo a extremo. Nadie fuera de este chat puede leerlos.",
    "Messages and calls are end-to-end encrypted. Only people in this chat can read, listen to, or share them.",
    "As mensagens e as ligações são protegidas com a criptografia de ponta a ponta.",
    'Ana creó el grupo "Soporte"',
    "Ana se unió usando el enlace de invitación de este grupo",
    "Ana añadió a +52 998 555 0101",
    "Se te añadió al grupo",
    "Ana eliminó a Luis",
    "Ana salió del grupo",
    'Ana cambió el nombre del grupo a "Soporte 2"',
    "Ana cambió el ícono de este grupo",
    "Ana cambió la descripción del grupo.",
    "Tu código de seguridad con Ana cambió. Toca para obtener más información.",
    "Ana fijó un mensaje",
    "Ahora eres admin. del grupo",
    "Activaste los mensajes temporales.",
    "Ana inició una llamada",
    'Ana created group "Support"',
    "Ana joined using this group's invite link",
    "You added Luis",
    "You were added",
    "Ana left",
    "Ana removed Luis",
    'Ana changed the group name from "A" to "B"',
    "Ana changed this group's icon",
    "Ana's security code changed. Tap to learn more.",
    "Ana pinned a message",
    "You're now an admin",
    "Ana turned on disappearing messages.",
    'Ana criou o grupo "Suporte"',
    "Ana entrou usando o link de convite deste grupo",
    "Ana adicionou Luís",
    "Ana saiu",
    "Ana removeu Luís",
    'Ana mudou o nome do grupo para "Suporte 2"',
    "Seu código de segurança com Ana mudou.",
    "Ana fixou uma mensagem",
)


@pytest.mark.parametrize("text", NOTICES)
def test_on_android_a_line_without_author_is_a_notice(text: str) -> None:
    (message,) = parse(f"31/1/26, 9:05 - {text}").messages
    assert (message.author, message.text, message.system) == (None, text, True)


@pytest.mark.parametrize("text", NOTICES)
def test_on_ios_a_notice_has_an_author_and_a_mark(text: str) -> None:
    message = said_on_ios(f"{LRM}{text}")
    assert (message.author, message.text, message.system) == (None, text, True)


@pytest.mark.parametrize("text", NOTICES[3:])
def test_on_ios_the_same_words_without_the_mark_are_a_persons(text: str) -> None:
    message = said_on_ios(text)
    assert (message.author, message.text, message.system) == ("Ana", text, False)


def test_an_unknown_notice_is_known_by_the_title() -> None:
    assert said_on_ios(f"{LRM}Algo nuevo pasó", author="Soporte", title="Soporte").system
    assert not said_on_ios(f"{LRM}Algo nuevo pasó", author="Ana", title="Soporte").system


def test_old_ios_notices_have_no_author() -> None:
    (message,) = parse("[31/1/26, 9:05:33] Ana left").messages
    assert (message.author, message.system) == (None, True)


@pytest.mark.parametrize(
    "text",
    [
        'Ana creó el grupo "Soporte: Caribe"',
        'Ana cambió el nombre del grupo de "Soporte: A" a "Soporte: B"',
        'Ana changed the group name from "A: b" to "C: d"',
        "Ana criou o grupo “Suporte: Litoral”",
    ],
)
def test_a_quoted_name_with_a_colon_has_no_author(text: str) -> None:
    (message,) = parse(f"31/1/26, 9:05 - {text}").messages
    assert (message.author, message.text, message.system) == (None, text, True)


@pytest.mark.parametrize(
    "text", ["Missed voice call", "Llamada perdida", "Videollamada perdida. Toca para llamar", "Voice call, No answer"]
)
def test_calls_are_notices(text: str) -> None:
    message = said_on_ios(f"{LRM}{text}")
    assert (message.author, message.text, message.system) == (None, text, True)


@pytest.mark.parametrize(
    ("stem", "title"),
    [
        ("WhatsApp Chat - Soporte Caribe", "Soporte Caribe"),
        ("WhatsApp Chat with Soporte Caribe", "Soporte Caribe"),
        ("Chat de WhatsApp con Soporte - Caribe (2)", "Soporte - Caribe"),
        ("Conversa do WhatsApp com Lojas", "Lojas"),
        ("_chat", None),
        ("mi archivo", None),
    ],
)
def test_the_title_in_a_file_name(stem: str, title: str | None) -> None:
    assert title_of(stem) == title


def test_the_title_in_the_text() -> None:
    ios = parse(f"[31/1/26, 9:05:33] Caribe: {LRM}{NOTICES[0]}\n[31/1/26, 9:05:34] Ana: hola")
    android = parse('31/1/26, 9:05 - Ana creó el grupo "Caribe"\n31/1/26, 9:06 - Ana: hola')
    neither = parse("31/1/26, 9:06 - Ana: hola")
    assert (ios.title, android.title, neither.title) == ("Caribe", "Caribe", None)
