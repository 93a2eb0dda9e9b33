# ruff: noqa: E501, SIM905 - a list of words is not broken
"""Finds what is nobody's business in a text: phones, ids, accounts, secrets, addresses of the net. Pure.

Numbers are found by shape, check digit and the words before them; numbers of stores, orders, invoices and prices stay,
because the judgement rests on them. Names are not found here: see `redact`.
"""

import ipaddress
import re
from collections.abc import Iterator
from typing import NamedTuple

from supportbot.classifier.models import numbers
from supportbot.classifier.models.spelling import plain


class Private(NamedTuple):
    """A place in a text."""

    start: int
    end: int
    kind: str
    """`PHONE`, `EMAIL`, `ID`, `ACCOUNT`, `SECRET`, `IP` or `CONTACT`."""


_EMAIL = re.compile(
    r"(?<![\w.+-])[\w.+%-]{1,64}(?:@| ?@ ?(?=\w+\.(?:com|net|org|edu|gob|mx|co|es|br|ar))|[\[( ]{1,2}(?:arroba|at)[\]) ]{1,2}(?=[\w-]+(?:\.|[\[( ]{1,2}(?:punto|ponto|dot)\b)))"
    r"(?:[\w-]{1,63}(?:\.|[\[( ]{1,2}(?:punto|ponto|dot)[\]) ]{1,2}))+[a-z]{2,24}(?![\w-])"
)
_JID = re.compile(r"(?<![\w.+-])[\d-]{5,31}(?::\d+)?@(?:lid|s\.whatsapp\.net|c\.us|g\.us|broadcast|newsletter)\b")
_AT_NUMBER = re.compile(r"(?<!\w)@\+?\d{5,20}(?!\w)")
_URL = re.compile(r"(?:[a-z][a-z0-9+.-]{1,20}://|www\.|wa\.me/)[^\s<>\"']+")
_IPV4 = re.compile(r"(?<![\w.])(?:\d{1,3}\.){3}\d{1,3}(?![\w.]*\d)")
_IPV6 = re.compile(r"(?<![\w:])(?:[0-9a-f]{0,4}:){2,7}[0-9a-f]{0,4}(?![\w:])")
_VERSION = re.compile(r"(?<![a-z])(?:v|ver|version|versao|release|build)[ .:]*$")

_KEY = re.compile(
    r"-----begin [a-z ]*private key-----.*?(?:-----end [a-z ]*private key-----|\Z)|"
    r"eyj[\w-]{8,}\.[\w-]{8,}(?:\.[\w-]*)?|"
    r"(?<![\w-])(?:sk|pk|rk)[-_](?:live[-_]|test[-_]|proj[-_]|ant[-_])?[\w-]{12,}|(?<!\w)(?:akia|asia)[0-9a-z]{16}(?!\w)|"
    r"(?<!\w)(?:gh[pousr]_\w{20,}|github_pat_\w{20,}|glpat-[\w-]{16,}|xox[abeprs]-[\w-]{10,}|aiza[\w-]{30,}|ya29\.[\w-]{20,}|"
    r"sg\.[\w-]{16,}\.[\w-]{16,}|hf_\w{20,}|npm_\w{30,}|eaa\w{30,}|1000\.[0-9a-f]{24,}(?:\.[0-9a-f]{24,})?)|"
    r"(?<!\w)(?:bearer|basic|zoho-oauthtoken) [\w.~+/=-]{12,}",
    re.DOTALL,
)
_LONG = re.compile(r"(?<![\w+/-])[\w+/-]{32,}={0,2}(?![\w+/-])")
_SECRET_PARAMETER = re.compile(r"token|key|sig|secret|pass|pwd|auth|code|otp|session|sid|jwt|hash|phone|tel|mail|user")

_FILLER = (
    r"(?: (?:del?|al|ao|con|with|da|do|d[ao]s|of|for|para|to|the|el|la|lo|o|a|los|las|en|no|na|mi|tu|su|sua|meu|minha|my|your|our|nueva|nuevo|nova|novo|new|temporal|temporaria|temp|provisional|provisoria|"
    r"inicial|actual|atual|current|default|maestra|master|wi-?fi|red|rede|network|internet|router|modem|admin|administrador|root|correo|email|e-mail|mail|portal|sistema|system|sap|zoho|erp|pos|caja|caixa|till|"
    r"usuario|user|account|cuenta|conta|tienda|store|loja|sucursal|banco|app|aplicacion|aplicativo|acceso|acesso|login|computadora|computador|compu|pc|laptop|tablet|equipo|servidor|server|vpn|anydesk|teamviewer|"
    r"\d{1,4}))"
)
_IS = r"(?:(?P<sign>\s?(?:[:=→]|[-=]>)\s?)| (?:es|is|e|sera|seria|fica|ficou|quedo|queda|quedo como|queda como|now|ahora es|agora e)[: ] ?)"
_VALUE = r"[\"'“”‘’«»*`(]?(?P<value>[^\s\"'“”‘’«»`<>,;]{3,64})"
_WORD = r"(?<!\w)(?:contrasena|contrasenia|contrasea|contra(?= (?:del?|es|:|=)|[:=])|password|passwd|passw|pass|pwd|pw|psw|passcode|passphrase|senha|palavra-passe|palabra clave|api ?key|api[-_]key|apikey|client secret|secret key|access key|access token|secret|secreto|token)s?"
_PASSWORD_IS = re.compile(_WORD + _FILLER + r"{0,6}" + _IS + _VALUE)
_PASSWORD_BARE = re.compile(_WORD + _FILLER + r"{0,4} " + _VALUE)
_PASSWORD_SIGN = re.compile(_WORD + r"(?!\w)[^\n:=→,.;?!]{0,40}\s?[:=→]\s?" + _VALUE)
_CODE_WORD = r"(?<!\w)(?:clave|pin|nip|codigo de acceso|codigo de acesso)"
_CODE_IS = re.compile(
    _CODE_WORD
    + r"(?! (?:de |del )?(?:product|articul|sat\b|prov|unidad|material|sku))"
    + _FILLER
    + r"{0,6}"
    + _IS
    + _VALUE
)
_CODE_BARE = re.compile(_CODE_WORD + _FILLER + r"{0,4} " + _VALUE)
_PIN = re.compile(r"(?<!\w)(?:pin|nip)s? (?:de |do |da |del )?(?P<value>\d{4,8})(?!\w)")
_OWN_CODE = re.compile(
    r"(?<!\w)(?:usuario|user|login|mi|tu|su|nueva|wifi)(?!\w)[^\n]{0,24}(?<!\w)clave (?P<value>(?=\S*\d)[^\s,;]{4,32})"
)
_ONE_TIME = re.compile(
    r"(?<!\w)(?:otp|(?:2fa|mfa|otp|sms)(?: code)?|cvv2?|cvc2?|cod(?:igo)? de (?:seguridad|verificacion|verificacao|seguranca|confirmacion|confirmacao|autenticacion|autenticacao|autorizacion de acceso|un solo uso|whatsapp|sms)|"
    r"(?:verification|security|login|one[- ]time|authentication|access) code|(?:token|codigo)(?: de| do| del)? (?:sms|whatsapp|banco|dinamico|google))"
    r"(?: (?:de|del|do|da|la|el|o|a|the|of|my|mi|tu|su|sms|whatsapp|google|banco|tarjeta|card|cartao))*(?:\s?[:=#-]\s?| (?:es|is|e|fue|was|foi|number|numero) | )(?P<value>\d[\d -]{1,8}\d)(?!\w)"
)
_NO_SECRET = frozenset(
    "incorrecta incorrecto invalida invalido correcta correcto erronea erroneo equivocada equivocado vencida vencido caducada expirada expirado bloqueada bloqueado nueva nuevo otra otro diferente misma mismo"
    " esta este esa ese igual porque para pero por que con sin una uno los las del muy mas menos solo siempre nunca ahora hoy ayer aqui urgente error falla favor alguien quien cual como cuando donde"
    " su tu mi nuestra obligatoria necesaria requerida personal secreta segura facil larga corta temporal valida valido valid invalid wrong incorrect correct expired locked same different new old not the your"
    " working required needed too very still just reset being failing rejected accepted sent missing unknown what how who when please case sensitive"
    " errada errado incorreta incorreto vencida diferente mesma mesmo nova novo nao sim obrigatoria necessaria muito ainda quem qual quando onde por favor".split()
)


def find_private(text: str) -> list[Private]:
    """What is private in a text, in order and apart from each other; the longer find wins.

    Args:
        text: Text of `spelling.clean`.
    """
    low = plain(text)
    urls = [match.span() for match in _URL.finditer(low)]
    found = [one for span in urls for one in _in_url(text, low, *span)]
    for start, end in urls:  # What has been searched as an address is no sentence.
        text, low = (one[:start] + " " * (end - start) + one[end:] for one in (text, low))
    found += [*_addresses(low), *_secrets(text, low), *(Private(*one) for one in numbers.find(low))]
    return _apart(found)


def _apart(found: list[Private]) -> list[Private]:
    kept: list[Private] = []
    for one in sorted(found, key=lambda span: (span.start - span.end, span.start)):
        if all(one.end <= other.start or other.end <= one.start for other in kept):
            kept.append(one)
    return sorted(kept)


def _addresses(low: str) -> Iterator[Private]:
    for pattern, kind in ((_EMAIL, "EMAIL"), (_JID, "CONTACT"), (_AT_NUMBER, "CONTACT")):
        yield from (Private(*match.span(), kind) for match in pattern.finditer(low))
    yield from _ips(low)


def _ips(low: str) -> Iterator[Private]:
    for match in _IPV4.finditer(low):
        octets = [int(part) for part in match[0].split(".")]
        if max(octets) <= 255 and not _VERSION.search(low[: match.start()]) and not _is_amount(match[0]):
            yield Private(*match.span(), "IP")
    if low.count(":") >= 2:
        yield from (Private(*match.span(), "IP") for match in _IPV6.finditer(low) if _is_ipv6(match[0]))


def _is_amount(dotted: str) -> bool:
    return all(len(part) == 3 for part in dotted.split(".")[1:]) and not dotted.startswith(("10.", "172.", "192."))


def _is_ipv6(text: str) -> bool:
    if not re.search(r"[a-f]|::", text) or len(text) < 5:
        return False
    try:
        ipaddress.IPv6Address(text)
    except ValueError:
        return False
    return True


def _in_url(text: str, low: str, start: int, end: int) -> Iterator[Private]:
    """What is private in an address: credentials, IPs, tokens in the path, parameters that are long or say so."""
    end = start + len(low[start:end].rstrip(".,;:!?)]}"))
    rest = low[start:end]
    authority = rest.find("://") + 3 if "://" in rest else 0
    host_end = next((at for at in range(authority, len(rest)) if rest[at] in "/?#"), len(rest))
    at_sign = rest.rfind("@", authority, host_end)
    yield from (Private(start + one.start, start + one.end, one.kind) for one in _ips(rest[:host_end]))
    if at_sign > 0:
        yield Private(start + authority, start + at_sign, "SECRET")
    for match in re.finditer(r"(?<=/)[^/?#&=]+", rest[host_end:]):
        if _is_token(text[start + host_end :][slice(*match.span())]):
            kind = "PHONE" if match[0].lstrip("+").isdigit() else "SECRET"
            yield Private(start + host_end + match.start(), start + host_end + match.end(), kind)
    for match in re.finditer(r"(?<=[?&#;])([^=&#;]*)=([^&#;]+)", rest):
        value = text[start:end][slice(*match.span(2))]
        if _SECRET_PARAMETER.search(match[1]) or _is_token(value) or "@" in value or "%40" in value:
            yield Private(start + match.start(2), start + match.end(2), "SECRET")


def _is_token(part: str) -> bool:
    digits = sum(char.isdigit() for char in part)
    if part.lstrip("+").isdigit():
        return digits >= 9
    words = re.split(r"[-_.]", part)
    if len(part) >= 16 and digits >= 3 and max(map(len, words)) >= 10:
        return True
    return len(part) >= 20 and digits >= 1 and part != part.lower()


def _secrets(text: str, low: str) -> Iterator[Private]:
    for match in _KEY.finditer(low):
        yield Private(*match.span(), "SECRET")
    for match in _LONG.finditer(text):
        token = match[0]
        if _is_mixed(token) and not re.fullmatch(r"[A-Z]{2,5}(?:[-_/]\w+)+", token):
            yield Private(*match.span(), "SECRET")
    for pattern in (_PASSWORD_IS, _CODE_IS):
        yield from (_trimmed(low, match) for match in pattern.finditer(low) if _is_told_secret(text, match))
    for pattern in (_PASSWORD_BARE, _PASSWORD_SIGN, _CODE_BARE):
        for match in pattern.finditer(low):
            value = text[slice(*match.span("value"))]
            if _looks_secret(value) and (pattern is not _CODE_BARE or _is_chosen(value)):
                yield _trimmed(low, match)
    for pattern in (_PIN, _OWN_CODE, _ONE_TIME):
        yield from (_trimmed(low, match) for match in pattern.finditer(low))


def _is_mixed(token: str) -> bool:
    return any(c.isupper() for c in token) and any(c.islower() for c in token) and sum(c.isdigit() for c in token) >= 2


def _is_told_secret(text: str, match: re.Match[str]) -> bool:
    """Whether what stands behind "password:" or "password is" is one: it looks so, or is no word of every day."""
    start, end = match.span("value")
    if _looks_secret(text[start:end]):
        return True
    word = plain(text[start:end]).strip(".!?)*")
    if not word.isalpha() or word in _NO_SECRET or len(word) < 4:
        return False
    return bool(match["sign"]) or re.match(r"[.!?)*]*\s*(?:$|[\n,;.]|y |and |e )", text[end:]) is not None


def _is_chosen(value: str) -> bool:
    """Letters and digits as somebody chooses them; the code of an article has none in lower case."""
    return len(value) >= 6 and any(c.islower() for c in value) and any(c.isdigit() for c in value)


def _looks_secret(value: str) -> bool:
    value = value.strip(".!?)*")
    if len(value) < 4 or value.endswith(":"):
        return False
    letters = [char for char in value if char.isalpha()]
    digits = sum(char.isdigit() for char in value)
    if digits:
        if re.fullmatch(r"\$?\d+[.,]\d{1,2}%?|\d{1,3}(?:[.,]\d{3})+", value):
            return False  # A price.
        return digits >= 4 or bool(letters)
    inner = any(char.isupper() for char in value[1:]) and any(char.islower() for char in value)
    return inner or (bool(letters) and any(char in "!#$%&*_+@^~" for char in value[1:]))


def _trimmed(low: str, match: re.Match[str]) -> Private:
    start, end = match.span("value")
    while end > start + 3 and low[end - 1] in ".)?*":
        end -= 1
    return Private(start, end, "SECRET")
