# ruff: noqa: E501 - a list of words is not broken
"""Phones, cards and bank accounts among digits with separators: by valid shape, check digit and the word before. Pure."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import phonenumbers
from stdnum import luhn
from stdnum.ar import cbu
from stdnum.br import cpf
from stdnum.es import ccc

REGIONS = ("MX", "CO", "ES", "BR", "AR", "US", "CL", "PE", "PT", "EC", "GB")
"""Where a number without a country code may be from."""

MAX_GROUPS = 8
"""Nobody parts one number into more."""

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


@dataclass(frozen=True)
class _Number:
    """Groups of digits of a text, read as one number."""

    low: str
    start: int
    end: int

    @cached_property
    def text(self) -> str:
        return self.low[self.start : self.end]

    @cached_property
    def sizes(self) -> list[int]:
        """Digits of each group."""
        return [len(group) for group in _DIGITS.findall(self.text)]

    @cached_property
    def digits(self) -> str:
        return re.sub(r"\D", "", self.text)

    @cached_property
    def is_document(self) -> bool:
        return is_document(self.low, self.start)

    @property
    def has_plus(self) -> bool:
        return self.low[max(0, self.start - 2) : self.start].replace("(", "").endswith("+")

    @property
    def is_part(self) -> bool:
        """Whether it is a piece of a word, an address, an amount or a longer number."""
        before, after = self.low[max(0, self.start - 2) : self.start], self.low[self.end : self.end + 2]
        if re.match(r"[a-z@%_]|[.,:/]\d", after):
            return True
        return re.search(r"[a-z_#$]$|[a-z\d][-/.,:]$|\$ $", before) is not None


def find_numbers(low: str) -> Iterator[tuple[int, int, str]]:
    """Start, end and kind of what the digits of a text are: the longest fitting run of groups from the left.

    Args:
        low: Text of `spelling.plain`.
    """
    for groups in _runs(low):
        first = 0
        while first < len(groups):
            for last in range(min(len(groups), first + MAX_GROUPS) - 1, first - 1, -1):
                number = _Number(low, groups[first][0], groups[last][1])
                if (kind := _classify(number)) is not None:
                    start = number.start if kind != "PHONE" else number.start - _signs_before(number)
                    yield start, number.end, kind
                    first = last
                    break
            first += 1


def is_document(low: str, start: int) -> bool:
    """Whether the words before a number say that it is an order, an invoice, an article or the like."""
    before = low[max(0, start - 90) : start]
    return names_document(before) and not _PHONE_BEFORE.search(before)


def names_document(words: str) -> bool:
    """Whether words end with the name of a document."""
    return _DOCUMENT_BEFORE.search(words) is not None


def is_thousands(text: str) -> bool:
    """1.234.567 or 1 234 567: an amount."""
    return re.fullmatch(r"\d{1,3}(?:\.\d{3})+|\d{1,2}(?: \d{3})+", text) is not None


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


def _signs_before(number: _Number) -> int:
    """How many "+" and "(" belong to it."""
    return len(number.low[: number.start]) - len(number.low[: number.start].rstrip("+("))


def _classify(number: _Number) -> str | None:
    if not 7 <= len(number.digits) <= 22 or number.is_part:
        return None
    grouped = len(number.sizes) > 1
    if (_is_card(number.digits) or _is_bank(number.digits)) and (grouped or not number.is_document):
        return "ACCOUNT"
    if len(number.sizes) in {1, 4} and cpf.is_valid(number.digits) and not number.is_document:
        return "ID"
    return "PHONE" if _is_phone(number) else None


def _is_phone(number: _Number) -> bool:
    digits, sizes = number.digits, number.sizes
    if len(digits) > 15:
        return False
    if number.has_plus:
        return len(digits) >= 8 and _is_possible(re.sub("^521(?=.{10}$)", "52", digits))
    if digits.startswith("00"):
        return not number.is_document and _is_assigned("+" + digits[2:], None)
    if _PHONE_BEFORE.search(number.low[max(0, number.start - 60) : number.start]):
        return len(digits) <= 13 and not is_thousands(number.text)
    if number.is_document or len(sizes) == 1 or len(digits) < 9 or is_thousands(number.text) or _is_date(number.text):
        return False
    if sizes[0] == 3 and re.search(r"(?<!\w)(?:la|las|na|en) $", number.low[: number.start]):
        return False  # "la 305 …" is a store.
    if len(set(sizes)) == 1 and sizes != [3, 3, 3] and sizes[0] > 2:
        return False  # A list of stores or orders.
    if max(sizes[1:]) < 3 and len(sizes) < 4:
        return False
    return any(_is_assigned(digits, region) for region in REGIONS) or _is_assigned("+" + digits, None)


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


def _is_assigned(number: str, region: str | None) -> bool:
    try:
        return phonenumbers.is_valid_number(phonenumbers.parse(number, region))
    except phonenumbers.NumberParseException:
        return False


def _is_possible(digits: str) -> bool:
    try:
        return phonenumbers.is_possible_number(phonenumbers.parse("+" + digits, None))
    except phonenumbers.NumberParseException:
        return False
