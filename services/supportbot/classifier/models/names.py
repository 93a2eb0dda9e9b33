# ruff: noqa: E501, SIM905 - a list of words is not broken
"""Finds the names of known people in a text. Pure.

A push name may be anything: "Mario Gómez", "Soporte TI", "Tienda 305 Luz". Words of trade are no names, and a name that
is a word of every day counts only where it is written like a name.
"""

import re
from collections.abc import Iterable, Iterator

from supportbot.classifier.lexicon import STOP, compile_phrase
from supportbot.classifier.lexicon_topics import OBJECTS
from supportbot.classifier.models.spelling import clean, plain

_NO_NAME = frozenset(
    "tienda tiendas soporte caja cajas cajera cajero sistema sistemas norte sur este oeste centro admin administrador administracion gerente gerencia subgerente jefe jefa lic ing dra don dona doc prof mesa ayuda"
    " matriz cedis corporativo almacen bodega ventas compras farmacia drogueria sucursal local turno noche tarde dia encargado encargada supervisor supervisora coordinador coordinadora auxiliar regente tecnico tecnica"
    " oficina contabilidad cobranza facturacion logistica recepcion mostrador guardia seguridad grupo equipo empresa comercial distribuidora super mini pollos pan pizza abarrotes papeleria ferreteria veterinaria clinica"
    " escuela taller base punto sede planta zona regional nacional servicio servicios cliente clientes atencion nuevo nueva trabajo oficial personal casa cel celular whatsapp the and los las del san santa mama papa inge chef maestro maestra obra grua sup subgte residente seu sra recibo inventario inventarios facturacion erp it"
    " store stores support desk help helpdesk manager office tech shop branch team sales front back service center centre warehouse driver night shift clinic school assistant supervisor lead owner boss mom dad home work phone"
    " loja lojas suporte caixa gerente filial matriz vendas compras estoque deposito central atendimento escola cozinha cantina motorista entrega turno noite manha padaria coach tche panaderia".split()
)
"""Words of push names that name a trade, a place or a post."""

_PLACES = frozenset(
    "tienda suc sucursal local obra farmacia drogueria sede planta zona punto base escuela clinica store shop branch site loja filial".split()
)
"""What follows is the name of a place."""

_EVERYDAY = frozenset(
    "luz rosa sol mar cruz paz flor reyes leon blanca blanco clara gloria victoria esperanza consuelo dolores mercedes pilar rocio salud angel santos flores iglesias torres rios campos fuentes montes puente puentes prado"
    " nieves perla estrella aurora marina costa silva ramos barrios cortes casas llamas toro rico bravo delgado moreno rubio guerra leal franco prieto calle plaza castillo vale leo julio abril domingo memo max alma vera"
    " dulce linda bella celeste violeta azul brisa nube mora parra vega cuesta cano marcos marca pino robles cedro rojas rojo amado socorro remedios soledad trinidad concepcion caridad piedad milagros guia paloma cielo lista"
    " will mark may grace hope joy bill rob art chase grant jack rose dawn summer amber price cook page field fields wood young long short black white brown green king bush stone banks cash june april august penny dollar"
    " caro cara dan armando roble dalia lis mina clemente justo benigno modesto fe guadalupe vitoria aparecida neves chaves leite lima pinto dias rocha batista barros matos serra prata ouro porto carneiro cordeiro coelho machado salgado".split()
)

_SENTENCE_END = re.compile(r"(?:^|[.!?\n:;]\s*|[¡¿]\s*)$")


def names_in(name: str) -> tuple[str, ...]:
    """What texts may call somebody by, in lower case without accents: the whole push name, and the first name in it.

    Further words are not taken alone: they are as often the place or the trade ("Nati Barranco", "Beto Cocina").
    """
    words: list[str] = []
    for word in re.findall(r"[^\W_]+", plain(clean(name))):
        if any(char.isdigit() for char in word):
            break
        words.append(word)
    first = _first_name(words)
    if first is None:
        return ()
    return (" ".join(words), first) if len(words) > 1 else (first,)


def _first_name(words: list[str]) -> str | None:
    for before, word in zip(["", *words], words, strict=False):
        if before in _PLACES:
            return None
        if len(word) >= 3 and word not in _NO_NAME and word not in _STOP:
            return word if word in _EVERYDAY or not any(thing.fullmatch(word) for thing in _THINGS) else None
    return None


_STOP = frozenset(STOP.split())
_THINGS = tuple(compile_phrase(phrase) for phrase in OBJECTS.values())


class Names:
    """Names to look for, each with the one whom it means.

    Args:
        people: Name and reference; the same name of two people means neither of them.
    """

    def __init__(self, people: Iterable[tuple[str, str]]) -> None:
        self._refs: dict[str, str | None] = {}
        for name, ref in people:
            self._refs[name] = ref if self._refs.get(name, ref) == ref else None
        names = sorted(self._refs, key=lambda name: (-len(name), name))
        patterns = (r"[\W_]{1,3}".join(map(re.escape, name.split())) for name in names)
        self._pattern = re.compile(rf"(?<![^\W_])(?:{'|'.join(patterns)})(?![^\W_])") if names else None

    def find(self, text: str) -> Iterator[tuple[int, int, str | None]]:
        """Start, end and whom it means; None where that is not certain."""
        if self._pattern is None:
            return
        for match in self._pattern.finditer(plain(text)):
            if match[0] not in _EVERYDAY or _is_written_as_name(text, *match.span()):
                yield *match.span(), self._refs[" ".join(re.findall(r"[^\W_]+", match[0]))]


def _is_written_as_name(text: str, start: int, end: int) -> bool:
    if start > 0 and text[start - 1] == "@":
        return True
    if not text[start].isupper() or text[start:end].isupper():
        return False
    return not _SENTENCE_END.search(text[:start]) or text[end : end + 1] == ","
