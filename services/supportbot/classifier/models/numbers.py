# ruff: noqa: E501 - a list of words is not broken
"""Which numbers of a text are a phone, an identity or an account: by shape, check digit and the words before. Pure.

A number that could as well be an order, an article or a price is left alone.
"""

import re
from collections.abc import Callable, Iterator

from stdnum import iban
from stdnum.ar import cuit
from stdnum.br import cnpj, cpf
from stdnum.cl import rut
from stdnum.co import nit
from stdnum.es import dni, nie
from stdnum.mx import curp, rfc
from stdnum.us import ssn

from supportbot.classifier.models.digits import find_numbers, is_document, is_thousands, names_document

Find = tuple[int, int, str]

_NOT_HERE = frozenset({"XAXX010101000", "XEXX010101000"})
"""Mexican tax ids that stand for the public and for foreigners: no person's, and of use to the judgement."""

_ID_WORD = (
    r"(?<![a-z])(?:d\.?n\.?i\.?|cedulas?(?:(?: de)? (?:ciudadania|identidad|extranjeria))?|c\.?c\.?|c\.?i\.?|curp|rfc|rut|run|nit|cuit|cuil|cpf|cnpj|rg|nif|nie|cif|ssn|itin|ein|social security(?: number)?|social|nss|imss|seguro social|"
    r"pasaporte|passport|passaporte|cnh|pis|pasep|niss|contribuinte|ine|ife|clave de elector|licencia(?: de conducir)?|driver'?s? licen[sc]e|ruc|documento de identidad|documento de identidade|identidad|identidade|numero de identificacion|identificacion personal|national insurance|nino|tarjeta de identidad)"
)
_LINK = r"(?:[ .:=#]|(?:es|is|e|no|num|numero|number|nro|n|del?|do|da|la|el|of|my|mi|su|cliente|customer|empleado|empleada|regente|encargado|encargada|chofer|persona|titular)(?![a-z])|[°º])"
_ID_BY_WORD = re.compile(
    _ID_WORD
    + r"(?![a-z])"
    + _LINK
    + r"{0,8}(?P<id>(?:[a-z]{1,2}[ -])?[a-z]{0,6}\d(?:[ .-]?[\dx]){4,17}(?:[ -]?[a-z](?![a-z])|[a-z]{2}\d)?)(?![\w])"
)
_ID_NEAR_WORD = re.compile(_ID_WORD + r"(?![a-z])[^\d\n,;!?]{0,30}(?<!\w)(?P<id>\d(?:[ .-]?\d){6,14})(?!\w)")
_RFC_BY_WORD = re.compile(r"(?<!\w)rfc[ :=#]*(?P<id>[a-z&]{3,4}[ -]?\d{6}(?:[ -]?[a-z0-9]{3})?)(?!\w)")
_MIXED_BY_WORD = re.compile(
    _ID_WORD + r"(?![a-z])" + _LINK + r"{0,8}(?P<id>(?=[a-z]*\d)(?=\d*[a-z])[a-z0-9]{6,20})(?!\w)"
)
_BIRTH = re.compile(
    r"(?:nacimiento|nascimento|nacid[oa] el|fecha nac\.?|birth|dob|fec\.? nac\.?)[ :=]*(?:is |es |e )?(?P<id>\d{1,4}[/.-]\d{1,2}[/.-]\d{2,4})(?!\d)"
)
_ACCOUNT_BY_WORD = re.compile(
    r"(?<![a-z])(?P<word>cuentas?|ctas?|account|acct|a/c|conta|clabe|cbu|cvu|iban|alias|tarjetas?|card|cartao|cartoes|plastico|chave pix|pix|routing|aba|sort code|agencia|swift|deposit[ae](?:r|me|n)?(?: a| en)?)(?![a-z])"
    r"(?:[ .:=#,-]|(?:es|is|e|no|num|numero|number|nro|n|a|de|del|do|da|la|el|en|of|my|mi|su|para|interbancaria|bancaria|banco|bank|corrente|corriente|poupanca|ahorros?|savings|checking|cheques|debito|credito|debit|credit|nomina|maestra|visa|mastercard|"
    r"bbva|banorte|santander|banamex|citibanamex|hsbc|scotiabank|azteca|inbursa|bancolombia|davivienda|nequi|galicia|nacion|macro|itau|bradesco|caixa|nubank|inter|chase|wells fargo|digito|final|c/c|ag)(?![a-z])|[°º]){0,12}"
    r"(?P<id>[a-z]{0,4}\d(?:[ .-]?\d){4,25}(?:-[\dx])?)(?![\w])"
)
_BANK_ACCOUNT = re.compile(
    r"(?<![a-z])(?P<word>cuentas?|ctas?|account|acct|conta|clabe|cbu|iban|bbva|bancomer|banorte|santander|banamex|citibanamex|hsbc|scotiabank|banco azteca|inbursa|bancolombia|davivienda|bradesco|itau|nubank|deposit[aeo]\w*|transf(?:iere|erir|ieran|ira|er))(?![a-z])[^\d\n,;!?]{0,40}(?<!\w)(?P<id>\d(?:[ .-]?\d){7,25})(?!\w)"
)
_NOT_ACCOUNT = re.compile(
    r"(?:contable|contabil|por cobrar|por pagar|mayor|a pagar|a receber|regalo|gift|puntos|lealtad|fidelidad|loyalty)"
)
_PIX_KEY = re.compile(
    r"(?<![a-z])(?P<word>chave pix|pix)[^\n]{0,20}?(?P<id>[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12})"
)


def _is_rfc_shape(value: str) -> bool:
    return value.upper() not in _NOT_HERE and rfc.is_valid(value, validate_check_digits=False)


def _is_cnpj(value: str) -> bool:
    return cnpj.is_valid(value.upper())


_SURE: tuple[tuple[re.Pattern[str], str, Callable[[str], bool]], ...] = (
    (re.compile(r"(?<![a-z0-9])[a-z]{4}[ -]?\d{6}[ -]?[hmx][a-z]{5}[ -]?[0-9a-z]\d(?![a-z0-9])"), "ID", curp.is_valid),
    (re.compile(r"(?<![a-z0-9])[a-z&]{3,4}-?\d{6}-?[a-z0-9]{3}(?![a-z0-9])"), "ID", _is_rfc_shape),
    (re.compile(r"(?<![a-z0-9])[a-z]{6}\d{8}[hm]\d{3}(?![a-z0-9])"), "ID", lambda _: True),
    (re.compile(r"(?<![\w.-])\d{3}\.\d{3}\.\d{3}[-/. ]\d{2}(?!\w)"), "ID", lambda _: True),
    (re.compile(r"(?<![\w.-])\d{9}-\d{2}(?!\w)"), "ID", cpf.is_valid),
    (re.compile(r"(?<![\w.-])[0-9a-z]{2}\.?[0-9a-z]{3}\.?[0-9a-z]{3}/[0-9a-z]{4}-?\d{2}(?!\w)"), "ID", _is_cnpj),
    (re.compile(r"(?<![\w.-])\d{2}[- ]\d{8}[- ]\d(?!\w)"), "ID", cuit.is_valid),
    (re.compile(r"(?<![\w.-])\d{3}[- ]\d{2}[- ]\d{4}(?!\w)"), "ID", ssn.is_valid),
    (re.compile(r"(?<![a-z0-9])[a-z]{2}\d{2}(?:[ -]?[a-z0-9]){11,30}(?![a-z0-9])"), "ACCOUNT", iban.is_valid),
)
_BARE: tuple[tuple[re.Pattern[str], str, Callable[[str], bool]], ...] = (
    (re.compile(r"(?<![\w-])\d{1,2}\.?\d{3}\.?\d{3}[ -]?[a-z](?!\w)"), "ID", dni.is_valid),
    (re.compile(r"(?<![\w-])[xyz][ -]?\d{7}[ -]?[a-z](?!\w)"), "ID", nie.is_valid),
    (re.compile(r"(?<![\w.-])\d{3}\.?\d{3}\.?\d{3}-\d(?!\w)"), "ID", nit.is_valid),
    (re.compile(r"(?<![\w.-])\d{1,2}\.?\d{3}\.?\d{3}-[\dk](?!\w)"), "ID", rut.is_valid),
)
"""Shapes that the number of a document may have as well."""
_FIELDS = (
    (_ID_BY_WORD, "ID", 6),
    (_ID_NEAR_WORD, "ID", 7),
    (_RFC_BY_WORD, "ID", 6),
    (_MIXED_BY_WORD, "ID", 2),
    (_BIRTH, "ID", 4),
    (_ACCOUNT_BY_WORD, "ACCOUNT", 5),
    (_BANK_ACCOUNT, "ACCOUNT", 8),
    (_PIX_KEY, "ACCOUNT", 0),
)


def find(low: str) -> Iterator[Find]:
    """Start, end and kind of every private number; overlaps are the caller's to settle.

    Args:
        low: Text of `spelling.plain`.
    """
    if sum(char.isdigit() for char in low) < 5:
        return
    yield from _by_shape(low)
    yield from _by_word(low)
    yield from find_numbers(low)


def _by_shape(low: str) -> Iterator[Find]:
    for pattern, kind, is_valid in _SURE:
        yield from ((*match.span(), kind) for match in pattern.finditer(low) if is_valid(match[0]))
    for pattern, kind, is_valid in _BARE:
        for match in pattern.finditer(low):
            if is_valid(match[0]) and not is_document(low, match.start()):
                yield *match.span(), kind
    for match in re.finditer(r"(?<![a-z0-9])[a-z]{2}\d{2} ?[a-z0-9]{4}[a-z0-9 ]{7,40}", low):
        if (end := _longest_iban(low, match.start(), match.end())) is not None:
            yield match.start(), end, "ACCOUNT"


def _longest_iban(low: str, start: int, end: int) -> int | None:
    """An IBAN written in groups, with words behind it."""
    for stop in range(end, start + 14, -1):
        if (
            (stop == end or not low[stop : stop + 1].isalnum())
            and low[stop - 1].isalnum()
            and iban.is_valid(low[start:stop])
        ):
            return stop
    return None


def _by_word(low: str) -> Iterator[Find]:
    for pattern, kind, digits in _FIELDS:
        for match in pattern.finditer(low):
            value = match["id"]
            if sum(char.isdigit() for char in value) < digits or value.upper() in _NOT_HERE:
                continue
            if pattern is _ID_NEAR_WORD and is_document(low, match.start("id")):
                continue
            if kind == "ACCOUNT" and _is_no_account(low, match):
                continue
            start = match.start("id") + len(value) - len(value.lstrip())
            yield start, match.end("id"), kind


def _is_no_account(low: str, match: re.Match[str]) -> bool:
    """An account of the books, an amount, or the number of a document."""
    between = low[match.end("word") : match.start("id")]
    if _NOT_ACCOUNT.search(between) or names_document(between) or is_thousands(match["id"]):
        return True
    return re.match(r" ?(?:pesos|mxn|cop|usd|reais|eur|pts|puntos|piezas|pzas?)", low[match.end() :]) is not None
