# ruff: noqa: E501 - a list of words is not broken
"""Which numbers of a text are a phone, an identity or an account: by shape, check digit and the words before. Pure.

A number that could as well be an order, an article or a price is left alone.
"""

import re
from collections.abc import Callable, Iterator

import phonenumbers
from stdnum import iban, luhn
from stdnum.ar import cbu, cuit
from stdnum.br import cnpj, cpf
from stdnum.cl import rut
from stdnum.co import nit
from stdnum.es import ccc, dni, nie
from stdnum.mx import curp, rfc
from stdnum.us import ssn

REGIONS = ("MX", "CO", "ES", "BR", "AR", "US", "CL", "PE", "PT", "EC", "GB")
"""Where a number without a country code may be from."""

Find = tuple[int, int, str]

MAX_GROUPS = 8
"""Nobody parts one number into more."""

_NOT_HERE = frozenset({"XAXX010101000", "XEXX010101000"})
"""Mexican tax ids that stand for the public and for foreigners: no person's, and of use to the judgement."""

_DIGITS = re.compile(r"\d+")
_JOINT = re.compile(r"(?: ?[-–.] ?| |\) ?[-.]?|\(| \(|\)[ -]?\(?)")
_DOCUMENT_BEFORE = re.compile(
    r"(?<![a-z])(?:skus?|upc|ean|plu|gtin|isbn|imei|pedidos?|orden(?:es)?|order|orders|oc|odc|po|compra|folios?|tickets?|facturas?|fatura|invoices?|notas?|nf-?e?|cfdi|uuid|remision(?:es)?|guias?|tracking|rastreo|rastreio|awb|"
    r"traspasos?|transferencias?|codigos?|cod|code|barras|barcode|articulos?|item|items|producto|produto|material|lotes?|series?|serial|serie|referencia|ref|caso|case|caixa|caja|embarque|entrega|solicitud|incidencia|incidente|"
    r"radicado|requisicion|vale|cupon|transaccion|operacion|autorizacion|aprobacion|recibo|asiento|poliza|tiendas?|sucursal(?:es)?|lojas?|stores?|terminal|afiliacion|merchant|precio|costo|total|importe|valor|monto)"
    r"(?:[\s#:=.(°º]|(?<![a-z])(?:no|num|numero|numeros|number|nro|n|de|del|do|da|la|las|el|los|es|son|is|con|compra|venta|barras|barra|entrega|sap|prov|proveedor|proveedores|interno|interna|traspaso|salida|entrada|rastreo|cliente)(?![a-z])|\d{3,14}(?: ?[,;/] ?| y | e | and | o |-)){0,10}$"
)
_PHONE_BEFORE = re.compile(
    r"(?<![a-z])(?:tel(?:s|ef(?:ono|one)s?|f|\.)?|phones?|cel(?:s|u|ular(?:es)?)?|movil(?:es)?|mobile|fone|fono|zap|whats?(?:app|ap)?|wh?ats|wsp|wpp|wa|contacto|contactos|contact|contato|llam\w{0,8}|marc(?:ar|en|a|o)\w{0,4}|marqu\w{0,7}|comuni\w{0,9}|"
    r"ligar?|liga|ligue|call|calls|dial|text|sms|reach|escri[bv]\w{0,6}|numero de (?:casa|oficina|contacto|celular|telefono)|mi (?:numero|num|nro)|su (?:numero|num)|tu numero|meu numero|my number|his number|her number|nequi|daviplata|bizum|fax|hotline|linea)"
    r"[^\n\d+]{0,22}[\s#:=.(+]*$"
)
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
    yield from _by_digits(low)


def _by_shape(low: str) -> Iterator[Find]:
    for pattern, kind, is_valid in _SURE:
        yield from ((*match.span(), kind) for match in pattern.finditer(low) if is_valid(match[0]))
    for pattern, kind, is_valid in _BARE:
        for match in pattern.finditer(low):
            if is_valid(match[0]) and not _is_document(low, match.start()):
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
            if pattern is _ID_NEAR_WORD and _is_document(low, match.start("id")):
                continue
            if kind == "ACCOUNT" and _is_no_account(low, match):
                continue
            start = match.start("id") + len(value) - len(value.lstrip())
            yield start, match.end("id"), kind


def _is_no_account(low: str, match: re.Match[str]) -> bool:
    """An account of the books, an amount, or the number of a document."""
    between = low[match.end("word") : match.start("id")]
    if _NOT_ACCOUNT.search(between) or _DOCUMENT_BEFORE.search(between) or _is_thousands(match["id"]):
        return True
    return re.match(r" ?(?:pesos|mxn|cop|usd|reais|eur|pts|puntos|piezas|pzas?)", low[match.end() :]) is not None


def _by_digits(low: str) -> Iterator[Find]:
    """Phones, cards and accounts among digits with separators: the longest fitting run of groups from the left."""
    for groups in _runs(low):
        first = 0
        while first < len(groups):
            for last in range(min(len(groups), first + MAX_GROUPS) - 1, first - 1, -1):
                if (found := _classify(low, groups[first][0], groups[last][1], last - first + 1)) is not None:
                    yield found
                    first = last
                    break
            first += 1


def _runs(low: str) -> Iterator[list[tuple[int, int]]]:
    """Groups of digits that only separators part."""
    run: list[tuple[int, int]] = []
    for match in _DIGITS.finditer(low):
        if run and not _JOINT.fullmatch(low[run[-1][1] : match.start()]):
            yield run
            run = []
        run.append(match.span())
    if run:
        yield run


def _classify(low: str, start: int, end: int, groups: int) -> Find | None:
    digits = re.sub(r"\D", "", low[start:end])
    if not 7 <= len(digits) <= 22 or groups > MAX_GROUPS:
        return None
    before, after = low[max(0, start - 2) : start], low[end : end + 2]
    if re.match(r"[a-z@%_]|[.,:/]\d", after) or re.search(r"[a-z_#$]$|[a-z\d][-/.,:]$|\$ $", before):
        return None
    document = _is_document(low, start)
    if _is_card(digits) and (groups > 1 or not document):
        return start, end, "ACCOUNT"
    if _is_bank(digits) and (groups > 1 or not document):
        return start, end, "ACCOUNT"
    if len(digits) == 11 and (groups in {1, 4}) and cpf.is_valid(digits) and not document:
        return start, end, "ID"
    plus = low[max(0, start - 2) : start].replace("(", "").endswith("+")
    while start > 0 and low[start - 1] in "+(":
        start -= 1
    return (start, end, "PHONE") if _is_phone(low, start, end, digits, groups, plus=plus, document=document) else None


def _is_phone(low: str, start: int, end: int, digits: str, groups: int, *, plus: bool, document: bool) -> bool:
    if len(digits) > 15:
        return False
    text = low[start:end]
    if plus:
        return len(digits) >= 8 and _is_possible(re.sub("^521(?=.{10}$)", "52", digits))
    if digits.startswith("00"):
        return not document and _parse_valid("+" + digits[2:], None)
    if _PHONE_BEFORE.search(low[max(0, start - 60) : start]):
        return len(digits) <= 13 and not _is_thousands(text)
    if document or groups == 1 or len(digits) < 9 or _is_thousands(text) or _is_date(text):
        return False
    sizes = [len(one) for one in _DIGITS.findall(text)]
    if sizes[0] == 3 and re.search(r"(?<!\w)(?:la|las|na|en) $", low[:start]):
        return False  # "la 305 …" is a store.
    if len(set(sizes)) == 1 and sizes != [3, 3, 3] and sizes[0] > 2:
        return False  # A list of stores or orders.
    return (max(sizes[1:]) >= 3 or len(sizes) >= 4) and _is_valid(digits)


def _is_document(low: str, start: int) -> bool:
    before = low[max(0, start - 90) : start]
    document = _DOCUMENT_BEFORE.search(before)
    return document is not None and not _PHONE_BEFORE.search(before)


def _is_thousands(text: str) -> bool:
    """1.234.567 or 1 234 567: an amount."""
    return re.fullmatch(r"\d{1,3}(?:\.\d{3})+|\d{1,2}(?: \d{3})+", text) is not None


def _is_date(text: str) -> bool:
    return (
        re.match(
            r"(?:20\d\d[-. ](?:0?[1-9]|1[0-2])[-. ]|(?:0?[1-9]|[12]\d|3[01])[-. ](?:0?[1-9]|1[0-2])[-. ]20\d\d)", text
        )
        is not None
    )


def _is_card(digits: str) -> bool:
    if len(digits) == 16:
        issuer = re.match(r"4|5[1-5]|2(?:2[2-9]|[3-6]\d|7[01]|720)|6011|64|65|50|60|636|62|35", digits)
    elif len(digits) == 15:
        issuer = re.match(r"3[47]", digits)
    elif len(digits) == 14:
        issuer = re.match(r"3[068]", digits)
    else:
        return False
    return issuer is not None and luhn.is_valid(digits)


def _is_bank(digits: str) -> bool:
    """CLABE of Mexico, CBU of Argentina, CCC of Spain."""
    if len(digits) == 18:
        total = sum(int(digit) * weight % 10 for digit, weight in zip(digits[:17], (3, 7, 1) * 6, strict=False))
        return (10 - total % 10) % 10 == int(digits[17])
    if len(digits) == 22:
        return bool(cbu.is_valid(digits))
    return len(digits) == 20 and bool(ccc.is_valid(digits))


def _is_valid(digits: str) -> bool:
    """Whether it is an assigned shape of one of the regions, with or without the country code."""
    return any(_parse_valid(digits, region) for region in REGIONS) or _parse_valid("+" + digits, None)


def _parse_valid(number: str, region: str | None) -> bool:
    try:
        return phonenumbers.is_valid_number(phonenumbers.parse(number, region))
    except phonenumbers.NumberParseException:
        return False


def _is_possible(digits: str) -> bool:
    try:
        return phonenumbers.is_possible_number(phonenumbers.parse("+" + digits, None))
    except phonenumbers.NumberParseException:
        return False
