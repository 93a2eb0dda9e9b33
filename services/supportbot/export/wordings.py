"""The words that WhatsApp itself writes into an export, in English, Spanish and Portuguese, on iOS and Android.

They change between versions without notice. All are matched against `marks.plain` text (lower case, composed, ordinary
spaces). Sources: exports quoted in public parsers and their issues; those marked (assumed) follow the pattern of the
others.
"""

import re

MEDIA_NOUNS: dict[str, str] = {
    "image": "image", "imagen": "image", "imagem": "image", "photo": "image", "foto": "image",
    "video": "video", "vídeo": "video", "gif": "video", "video note": "video", "video message": "video",
    "nota de video": "video", "nota de vídeo": "video", "mensaje de video": "video", "mensagem de vídeo": "video",
    "audio": "audio", "áudio": "audio", "voice message": "audio", "mensaje de voz": "audio", "nota de voz": "audio",
    "mensagem de voz": "audio",
    "sticker": "sticker", "figurinha": "sticker", "pegatina": "sticker", "figurita": "sticker",
    "document": "document", "documento": "document", "file": "document", "archivo": "document", "arquivo": "document",
    "ficheiro": "document",
    "contact card": "contact", "contact": "contact", "tarjeta de contacto": "contact", "contacto": "contact",
    "cartão do contato": "contact", "cartão de contato": "contact", "contato": "contact",
    "media": "unknown", "multimedia": "unknown", "mídia": "unknown", "arquivo de mídia": "unknown",
    "ficheiro multimédia": "unknown",
}  # fmt: skip
"""What stands before "omitted", and the kind of media it means. A GIF is a video for WhatsApp."""

OMITTED = re.compile(
    r"(?P<open><)?(?:view once )?(?P<noun>[^<>\n]{3,80}?) "
    r"(?:omitted|omitid[oa]s?|ocultad[oa]s?|ocult[oa]|não incluíd[oa]|no incluid[oa])\.?>?"
)

ATTACHED = re.compile(r"<(?:attached|adjunto|anexado|anexo|archivo adjunto): (?P<file>[^<>\n]+)>", re.IGNORECASE)
"""iOS: the file behind a label. Matched against the text as it stands."""

FILE_ATTACHED = (
    "(file attached)", "(archivo adjunto)", "(arquivo anexado)", "(ficheiro anexado)", "(attached)", "(adjunto)",
    "<attached>", "<adjunto>", "<anexado>",
)  # fmt: skip
"""Android (and iOS until 2017, in angle brackets): the label behind the file."""

DELETED = re.compile(
    r"(?:this message (?:was|has been) deleted(?: by admin .{1,80})?"
    r"|you deleted this message(?: as admin| for everyone)?|message deleted"
    r"|(?:se (?:eliminó|borró) este mensaje|este mensaje fue eliminado|mensaje eliminado)(?: por .{1,80})?"
    r"|eliminaste este mensaje(?: .{1,40})?"
    r"|(?:mensagem apagada|mensagem eliminada|es[ts]a mensagem foi (?:apagada|eliminada))(?: pel[oa] .{1,80})?"
    r"|(?:você )?(?:apagou|eliminou) es[ts]a mensagem(?: .{1,40})?)\.?"
)

EDITED = re.compile(
    r"\s*<(?:this message was edited|message edited|edited|se editó este mensaje|mensaje editado|mensagem editada"
    r"|es[ts]a mensagem foi editada)\.?>$",
    re.IGNORECASE,
)
"""Matched against text without direction marks."""

LOCATION = re.compile(r"(?:location|ubicación|localização|localización): (?P<url>https?://\S+)", re.IGNORECASE)
LIVE_LOCATION = re.compile(
    r"(?:live location shared|ubicación en tiempo real compartida|localização em tempo real compartilhada"
    r"|localização em tempo real partilhada)"
)
POLL = re.compile(r"(?:poll|encuesta|enquete|sondagem):")
POLL_OPTION = re.compile(
    r"(?:option|opción|opção): (?P<option>.*?)(?: \(\d+ (?:votes?|votos?)\))?", re.IGNORECASE
)  # Spanish and Portuguese labels: assumed.

UNREADABLE = re.compile(
    r"(?:null|waiting for this message\..*|esperando (?:este|el) mensaje.*|aguardando (?:esta )?mensagem.*"
    r"|this message can.t be displayed here\..*|no se puede mostrar este mensaje aquí\..*"
    r"|não é possível (?:exibir|mostrar) esta mensagem aqui\..*|you received a view once .*"
    r"|recibiste un[a]? .* de una sola vez.*)"
)
"""A message that was there and cannot be read: `null` is what Android writes for view-once and unknown kinds."""

CALL = re.compile(
    r"(?:missed (?:voice|video|group) (?:voice |video )?call|(?:voice|video) call|silenced (?:voice|video) call"
    r"|(?:llamada|videollamada)(?: de voz| grupal)?(?: perdida| silenciada)?"
    r"|(?:chamada|ligação) (?:de voz|de vídeo)(?: perdida| silenciada)?)"
    r"(?:[,.·]? .{1,60})?\.?"
)

NOTICES: dict[str, re.Pattern[str]] = {
    "en": re.compile(
        r"end-to-end encrypted|\bcreated (?:the |this )?(?:group|community)|\bchanged (?:the|this|their|to\b|settings)"
        r"|\badded\b|\bwere added|\bwas added|\bremoved\b|\bleft(?: the group)?\.?$|\bjoined\b"
        r"|\byou're (?:now|no longer)\b|\b(?:is|are) (?:now|no longer) (?:an admin|admins)"
        r"|\bsecurity code\b|\bpinned a message|\bmessage timer\b"
        r"|disappearing messages|\bturned (?:on|off)\b|\bstarted a (?:video |voice |group )?call"
        r"|\breset (?:this|the) group|\brequested to join|\bdeleted (?:this|the) group|\bblocked this contact"
        r"|\bbusiness account|\bis a contact\.?$|\binvited\b|\badvanced chat privacy"
    ),
    "es": re.compile(
        r"cifrad[oa]s? de extremo a extremo|\b(?:creó|creaste) (?:el|este) grupo|\b(?:creó|creaste) la comunidad"
        r"|\bcambi(?:ó|aste) (?:el|la|los|las|su|este|a|tu)\b|\b(?:añadió|agregó|añadiste|agregaste)\b"
        r"|\bse (?:te )?(?:añadió|agregó|unió)\b|\bse unieron\b|\bte (?:uniste|añadió|agregó|eliminó)\b"
        r"|\b(?:eliminó|eliminaste|expulsó) a\b|\b(?:salió|saliste)(?: del grupo)?\.?$|\babandonó el grupo"
        r"|\b(?:ahora (?:es|eres)|ya no (?:es|eres)) admin|\bcódigo de seguridad|\b(?:fijó|fijaste) un mensaje"
        r"|mensajes temporales|\b(?:activó|desactivó|activaste|desactivaste) |\binició una (?:video)?llamada"
        r"|\b(?:restableció|restableciste) el enlace|\bsolicitó unirse|\beliminó (?:el [ií]cono|la imagen|la descr)"
        r"|\bbloqueaste (?:a )?este contacto|cuenta de empresa|\bfue(?:ron)? añadid|privacidad avanzada"
    ),
    "pt": re.compile(
        r"(?:criptografi?a|criptografad[oa]s?|encriptad[oa]s?|encriptação) (?:de )?ponta a ponta"
        r"|\b(?:criou|criaste) (?:o|este|um) grupo|\bcriou a comunidade"
        r"|\b(?:mudou|alterou|mudaste) (?:o|a|os|as|para|de|seu)\b"
        r"|\badicionou\b|\bfoi adicionad|\bforam adicionad|\bentrou\b|\bremoveu\b|\bsaiu(?: do grupo)?\.?$"
        r"|\b(?:agora é|não é mais|já não é) (?:um )?admin|\bagora você (?:é|não é mais) admin|\bcódigo de segurança"
        r"|\bfixou uma mensagem|mensagens temporárias|\b(?:ativou|desativou|ativaste) |\biniciou uma (?:chamada|liga)"
        r"|\bredefiniu o link|\bpediu para (?:entrar|participar)|\bapagou (?:a imagem|a descrição|o ícone)"
        r"|\bbloqueou (?:este|esse) contato|\bconta comercial|privacidade avançada"
    ),
}
"""What happened in the group, per language. Only decisive together with a sign that WhatsApp wrote the line."""

ENCRYPTION = re.compile(
    r"(?:end-to-end encrypted|cifrad[oa]s? de extremo a extremo"
    r"|(?:criptografi?a|criptografad[oa]s?|encriptad[oa]s?|encriptação) (?:de )?ponta a ponta)"
)

QUOTING_NOTICE = re.compile(
    r"(?:created (?:the |this )?group|changed the (?:subject|group name)(?: from| to)?|(?:creó|creaste) el grupo"
    r"|cambi(?:ó|aste) (?:el asunto|el nombre)(?: del grupo)?(?: de| a)?|(?:criou|criaste) o grupo"
    r"|(?:mudou|alterou|mudaste) (?:o assunto|o nome)(?: do grupo)?(?: de| para)?) [\"“«']"
)
"""A notice that quotes a name; the name may hold a colon, which must not be read as the end of an author."""

GROUP_NAME = re.compile(
    r"(?:created (?:the |this )?group|creó el grupo|creaste el grupo|criou o grupo|criaste o grupo)"
    r" [\"“«'](?P<name>.+)[\"”»']",
    re.IGNORECASE,
)

FILE_TITLE = re.compile(
    r"(?:whatsapp chat(?: with)?|chat (?:de|do) whatsapp(?: con| com)?|conversa (?:do|de) whatsapp(?: com)?)"
    r"(?: - | )(?P<title>.+)",
    re.IGNORECASE,
)

LANGUAGE_WORDS: dict[str, re.Pattern[str]] = {
    "en": re.compile(r"end-to-end|omitted|\bmessage was|file attached|<attached:|\bcreated group"),
    "es": re.compile(r"de extremo a extremo|omitid[oa]|este mensaje|archivo adjunto|<adjunto:|creó el grupo"),
    "pt": re.compile(
        r"de ponta a ponta|ocult(?:ad)?[oa]\b|mensagem (?:apag|edit)|arquivo anexado|<anexado:|criou o grupo"
    ),
}
