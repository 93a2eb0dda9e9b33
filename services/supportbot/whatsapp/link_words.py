"""What each state of the link means and what a person does about it, in the bot's languages (pure)."""

from collections.abc import Mapping
from dataclasses import dataclass

from supportbot.spec import Language
from supportbot.whatsapp.gateway import LinkState


@dataclass(frozen=True)
class Words:
    """One state in one language."""

    title: str
    advice: str
    """What to do; empty where nothing is."""


_ENGLISH: Mapping[LinkState, Words] = {
    LinkState.STARTING: Words("Starting", "Wait a moment."),
    LinkState.UNPAIRED: Words(
        "Not linked", "Ask for a code, and scan it with the bot's phone: WhatsApp, Linked devices, Link a device."
    ),
    LinkState.PAIRING: Words(
        "Waiting for the phone", "On the bot's phone: WhatsApp, Linked devices, Link a device; scan or type the code."
    ),
    LinkState.PASSKEY_REQUIRED: Words(
        "WhatsApp asks for a passkey",
        "This client cannot give one. Turn passkeys off on the phone (WhatsApp, Settings, Account, Passkeys), wait a "
        "day and try again, or link another number.",
    ),
    LinkState.CONNECTING: Words("Connecting", "Wait a moment; if it lasts, look whether WhatsApp can be reached."),
    LinkState.SYNCING: Words("Linked, catching up", "Nothing: messages that came meanwhile are being handed over."),
    LinkState.CONNECTED: Words("Linked", ""),
    LinkState.RECONNECTING: Words(
        "Connecting again", "Wait; if it lasts, look whether WhatsApp can be reached. No message is lost."
    ),
    LinkState.REPLACED: Words(
        "Another client uses this session",
        "Find the other process that runs with a copy of this bot's data, end it, and restart this one.",
    ),
    LinkState.LOGGED_OUT: Words(
        "Unlinked by the phone or by WhatsApp",
        "Look on the bot's phone whether its account still works, then pair it again. Do not pair it again and again.",
    ),
    LinkState.BANNED: Words(
        "The account is banned",
        "Open WhatsApp on the phone to see why, and to appeal. Where the end of the ban is known, the bot tries again "
        "by itself; else restart it when it is over. Do not pair again meanwhile.",
    ),
    LinkState.OUTDATED: Words("WhatsApp no longer takes this version", "Install a newer version of supportbot."),
    LinkState.CLOCK_SKEWED: Words(
        "The clock is wrong", "Set this machine's clock, best by NTP; the bot then tries again by itself."
    ),
    LinkState.STORE_FAILED: Words(
        "The disk cannot be written",
        "Make room on the volume of the bot's data, or mend it; the bot goes on by itself. WhatsApp keeps what comes.",
    ),
    LinkState.STOPPED: Words("Stopped", "The link does not run: the service is ending, or the bot is paused."),
}

_SPANISH: Mapping[LinkState, Words] = {
    LinkState.STARTING: Words("Iniciando", "Espera un momento."),
    LinkState.UNPAIRED: Words(
        "Sin vincular",
        "Pide un código y escanéalo con el teléfono del bot: WhatsApp, Dispositivos vinculados, Vincular dispositivo.",
    ),
    LinkState.PAIRING: Words(
        "Esperando al teléfono",
        "En el teléfono del bot: WhatsApp, Dispositivos vinculados, Vincular dispositivo; escanea o escribe el código.",
    ),
    LinkState.PASSKEY_REQUIRED: Words(
        "WhatsApp pide una clave de acceso",
        "Este cliente no puede darla. Desactiva las claves de acceso en el teléfono (WhatsApp, Ajustes, Cuenta, Claves "
        "de acceso), espera un día e intenta de nuevo, o vincula otro número.",
    ),
    LinkState.CONNECTING: Words(
        "Conectando", "Espera un momento; si dura, revisa que se pueda llegar a WhatsApp desde aquí."
    ),
    LinkState.SYNCING: Words("Vinculado, poniéndose al día", "Nada: se están entregando los mensajes pendientes."),
    LinkState.CONNECTED: Words("Vinculado", ""),
    LinkState.RECONNECTING: Words(
        "Reconectando", "Espera; si dura, revisa que se pueda llegar a WhatsApp. No se pierde ningún mensaje."
    ),
    LinkState.REPLACED: Words(
        "Otro cliente usa esta sesión",
        "Busca el otro proceso que usa una copia de los datos de este bot, termínalo y reinicia este.",
    ),
    LinkState.LOGGED_OUT: Words(
        "Desvinculado por el teléfono o por WhatsApp",
        "Revisa en el teléfono del bot que la cuenta funcione y vincúlalo otra vez. No lo hagas una y otra vez.",
    ),
    LinkState.BANNED: Words(
        "La cuenta está suspendida",
        "Abre WhatsApp en el teléfono para ver el motivo y apelar. Si se sabe cuándo termina la suspensión, el bot lo "
        "intenta solo; si no, reinícialo cuando termine. No vincules de nuevo mientras tanto.",
    ),
    LinkState.OUTDATED: Words("WhatsApp ya no acepta esta versión", "Instala una versión más nueva de supportbot."),
    LinkState.CLOCK_SKEWED: Words(
        "El reloj está mal", "Pon en hora el reloj de esta máquina, mejor con NTP; el bot lo intenta de nuevo solo."
    ),
    LinkState.STORE_FAILED: Words(
        "No se puede escribir en el disco",
        "Libera espacio en el volumen de los datos del bot, o repáralo; el bot sigue solo. WhatsApp guarda lo "
        "que llega.",
    ),
    LinkState.STOPPED: Words(
        "Detenido", "El enlace no está en marcha: el servicio está terminando o el bot está en pausa."
    ),
}

_PORTUGUESE: Mapping[LinkState, Words] = {
    LinkState.STARTING: Words("Iniciando", "Espere um momento."),
    LinkState.UNPAIRED: Words(
        "Não vinculado",
        "Peça um código e leia-o com o telefone do bot: WhatsApp, Dispositivos conectados, Conectar dispositivo.",
    ),
    LinkState.PAIRING: Words(
        "Esperando o telefone",
        "No telefone do bot: WhatsApp, Dispositivos conectados, Conectar dispositivo; leia ou digite o código.",
    ),
    LinkState.PASSKEY_REQUIRED: Words(
        "O WhatsApp pede uma chave de acesso",
        "Este cliente não pode fornecê-la. Desative as chaves de acesso no telefone (WhatsApp, Configurações, Conta, "
        "Chaves de acesso), espere um dia e tente de novo, ou vincule outro número.",
    ),
    LinkState.CONNECTING: Words(
        "Conectando", "Espere um momento; se demorar, veja se é possível chegar ao WhatsApp daqui."
    ),
    LinkState.SYNCING: Words("Vinculado, atualizando", "Nada: as mensagens pendentes estão sendo entregues."),
    LinkState.CONNECTED: Words("Vinculado", ""),
    LinkState.RECONNECTING: Words(
        "Reconectando", "Espere; se demorar, veja se é possível chegar ao WhatsApp. Nenhuma mensagem se perde."
    ),
    LinkState.REPLACED: Words(
        "Outro cliente usa esta sessão",
        "Encontre o outro processo que usa uma cópia dos dados deste bot, encerre-o e reinicie este.",
    ),
    LinkState.LOGGED_OUT: Words(
        "Desvinculado pelo telefone ou pelo WhatsApp",
        "Veja no telefone do bot se a conta funciona e vincule-o outra vez. Não faça isso repetidas vezes.",
    ),
    LinkState.BANNED: Words(
        "A conta está banida",
        "Abra o WhatsApp no telefone para ver o motivo e recorrer. Se o fim do banimento é conhecido, o bot tenta "
        "sozinho; se não, reinicie-o quando terminar. Não vincule de novo enquanto isso.",
    ),
    LinkState.OUTDATED: Words("O WhatsApp não aceita mais esta versão", "Instale uma versão mais nova do supportbot."),
    LinkState.CLOCK_SKEWED: Words(
        "O relógio está errado", "Acerte o relógio desta máquina, de preferência com NTP; o bot tenta de novo sozinho."
    ),
    LinkState.STORE_FAILED: Words(
        "Não é possível gravar no disco",
        "Libere espaço no volume dos dados do bot, ou conserte-o; o bot continua sozinho. O WhatsApp guarda o "
        "que chega.",
    ),
    LinkState.STOPPED: Words(
        "Parado", "A conexão não está em execução: o serviço está terminando ou o bot está em pausa."
    ),
}

LINK_WORDS: Mapping[Language, Mapping[LinkState, Words]] = {
    Language.ES: _SPANISH,
    Language.EN: _ENGLISH,
    Language.PT: _PORTUGUESE,
}


def describe_link(link: LinkState) -> str:
    """One English sentence about a state, for conditions and logs; empty while all is well."""
    words = _ENGLISH[link]
    if link is LinkState.CONNECTED:
        return ""
    return f"{words.title[0].lower()}{words.title[1:]}: {words.advice[0].lower()}{words.advice[1:].rstrip('.')}"
