# ruff: noqa: E501 - a phrase is not broken
"""Finds store numbers and document numbers in a folded text. Pure; the words around a number decide what it is."""

import re
from typing import NamedTuple

_NUMBER = re.compile(r"(?<![\w.,/:$])(?<!\d-)#?(\d{2,14})(?![\w/:%]|[.,]\d|-\d)")
_SITE_BEFORE = re.compile(
    r"(?:tiendas|sucursales|puntos|stores|sites|branches|lojas)[^.:?]{0,60}: ?$|"
    r"(?:tienda|tiendas|sucursal|sucursales|local|unidad|unidade|unid|punto|ponto|posto|drogueria|farmacia|sede|base|agencia|plaza|planta|centro|estacion|kiosco|clinica|escola|escuela|restaurante|cafeteria|"
    r"store|stores|site|sites|branch|shop|clinic|location|loc|office|depot|hub|loja|lojas|filial)"
    r"(?: (?:no|num|numero|nro|la|las|de|del|number|es|son|y|and|e|a|o|[#.:]+|\d{2,4}[,.]?))*[ #:.-]*$"
)
_ARTICLE_BEFORE = re.compile(r"(?:^|\s)(?:la|las|en|a la|de la|en la|con la|na|da|no|do|aca|aqui)[ #]*$")
_DOCUMENT_BEFORE = re.compile(
    r"(?:pedidos?|orden|ordenes|oc|odc|compra|folios?|facturas?|tickets?|notas?|traspasos?|transferencias?|articulos?|codigos?|sku|plu|upc|ean|"
    r"remision|remisiones|embarque|entrega|documentos?|material|materiales|lote|id|referencia|venta|proveedor|usuario|empleado|nomina|"
    r"order|invoice|case|po|item|fatura|nf|produto|serie|transaccion|solicitud|caso|terminal|numero|vale|cupon|error|ext|extension|recibo)"
    r"(?: (?:no|num|numero|nro|la|las|los|el|de|del|number|es|son|con|compra|y|and|e|cod|codigo|folio|venta|[#.:]+|\d{4,14}[,.]?))*[ #:.-]*$"
)
_NOT_AN_ID_BEFORE = re.compile(
    r"(?:caja|cajas|piso|pasillo|pos|tpv|terminal|aisle|register|checkout|lunes|martes|miercoles|jueves|viernes|sabado|domingo|dia|"
    r"las|faltan|solo|son|hace|cada|precio|costo|a|de|por|\$|mas de|unas|unos|total|cantidad) ?$"
)
_AMOUNT_BEFORE = re.compile(
    r"(?:esta|estan|quedo|queda|sigue|siguen|sale|salen|marca|cuesta|vale|vende|cobra|pasa|fica|ta|continua|still) (?:en|a|at|em|por)? ?$"
)
"""A verb of state and a number that is no known store: a price or a count, "sigue en 219"."""
_UNIT_AFTER = re.compile(
    r"^\s?(?:pesos|mxn|usd|reais|pz|pza|pzas|piezas?|pieces|units|kg|kgs|kilos?|gr|gramos|g|lt|lts|litros?|ml|cajas?|bultos?|paquetes?|tarimas?|"
    r"dias?|days|horas?|hours|minutos?|minutes|min|semanas?|meses|am|pm|hrs|articulos?|productos?|personas?|tiendas?|cm|mm|%|x|por ciento|"
    r"clientes?|pedidos?|ordenes|facturas?|tickets?|codigos?|veces|años|anos|unidades|unidad)(?!\w)"
)
_LIST_JOINT = re.compile(r"^(?:[\s,;/&.-]|y|e|and)+$")


class Numbers(NamedTuple):
    """The numbers of a text, each once, in order of mention."""

    sites: tuple[str, ...]
    documents: tuple[str, ...]
    bare: tuple[str, ...]


def find_numbers(folded: str, known_sites: frozenset[str] = frozenset()) -> Numbers:
    """Store numbers (2 to 4 digits), document numbers (3 digits and more) and those that may be either.

    Args:
        folded: Text of `normalise.fold`.
        known_sites: Numbers that this group has used for stores; a bare one of them is a store.
    """
    found: dict[str, list[str]] = {"sites": [], "documents": [], "bare": []}
    previous: tuple[int, str] | None = None
    for match in _NUMBER.finditer(folded):
        before, after, number = folded[: match.start()], folded[match.end() :], match[1]
        group = _group_of(number, before, after, known_sites)
        if group in {"bare", None} and previous and _LIST_JOINT.match(folded[previous[0] : match.start()]):
            same_shape = previous[1] != "sites" or len(number) <= 4
            group = previous[1] if same_shape else group
        if group is None:
            continue
        if number not in found[group]:
            found[group].append(number)
        previous = (match.end(), group)
    return Numbers(tuple(found["sites"]), tuple(found["documents"]), tuple(found["bare"]))


def _group_of(number: str, before: str, after: str, known_sites: frozenset[str]) -> str | None:
    size = len(number)
    if _UNIT_AFTER.match(after):
        return None
    if _DOCUMENT_BEFORE.search(before):
        return "documents" if size >= 3 else None
    if size <= 4 and _SITE_BEFORE.search(before):
        return "sites"
    if size >= 5:
        return "documents"
    if number in known_sites and size >= 3:
        return "sites"
    if _AMOUNT_BEFORE.search(before):
        return None
    if size == 3 and _ARTICLE_BEFORE.search(before):
        return "sites"
    if size == 2:
        return "sites" if re.search(r"(?:^|\s)(?:en la|de la|la) $", before) else None
    if _NOT_AN_ID_BEFORE.search(before) and not _ARTICLE_BEFORE.search(before):
        return None
    return (
        "sites"
        if size == 4 and _ARTICLE_BEFORE.search(before) and not re.search(r"(?:^|\s)(?:las|aqui|aca) $", before)
        else "bare"
    )
