"""The keyword tier reads one text alone: what kind it looks like, its numbers, category and impact."""

import pytest
from tests.benchmarks.conversations import CONVERSATIONS, read_conversation

from supportbot.classifier.keywords import _ANY, _TABLES, Category, judge
from supportbot.classifier.normalise import fold
from supportbot.contracts import Kind, Priority
from supportbot.spec.categories import DEFAULT_CATEGORIES

CATEGORIES = tuple(Category(one.name, tuple(one.keywords), one.priority) for one in DEFAULT_CATEGORIES)

INCIDENTS = (
    "buen día, la 909 no puede recepcionar, su apoyo",
    "no jala la terminal de la caja 2",
    "se trabó el sistema en la 118",
    "no deja cobrar en la tienda 305",
    "no timbra las facturas",
    "su apoyo con la 410",
    "me ayudan con el alta de un artículo porfa",
    "apoyo con el alta de un artículo en la 612",
    "buenas tardes, me apoyan con la liberación del pedido 7781",
    "la impresora de etiquetas no imprime",
    "NO IMPRIMEEEE la de tickets",
    "xq no abre el portal d proveedores",
    "nos llegó incompleto el embarque de hoy",
    "el precio del queso está mal en la 220",
    "marca error al cerrar el corte",
    "me marca usuario bloqueado",
    "no aparece la orden de compra 4500123",
    "No se ve reflejada la entrada de mercancía del proveedor",
    "favor de cancelar el ticket 88120, se cobró doble",
    "necesito dar de baja a un cajero",
    "solicito el cambio de contraseña de la encargada",
    "tiendas sin carga de precios: 118, 305, 410",
    "me reporta la 118 que no timbra",
    "la báscula no prende desde ayer",
    "se cayó el internet en la sucursal centro",
    "no tenemos sistema",
    "el lector no lee los códigos",
    "podrían revisar el inventario de la 305, no cuadra",
    "quién me ayuda con un traspaso que no se puede cerrar",
    "llegó de menos el pedido de abarrotes, faltan 3 cajas de aceite",
    "no me refleja el traspaso en la 77",
    "nesecito apoyo con una factura q no se timbro",
    "la 909 no puede facturar",
    "Hola buen día, el artículo 750118 pasa en ceros",
    "tenemos al proveedor esperando y no trae orden de compra",
    "la tablet se quedó congelada",
    "no podemos vender, urge",
    "sin red en la 402",
    "aparece duplicado el pedido 5543",
    "el sistema no acepta la tarjeta",
    "no nos aparece la promoción del fin de semana",
    "ayuda por favor, el cajón no abre",
    "no reconoce la huella del gerente",
    "la cafetera marca un código raro y no calienta",
    "the register at store 12 won't open",
    "printer is jammed at store 5",
    "we can't log in to the system",
    "could you please reset my password",
    "order 5532 is missing two boxes",
    "the card terminal is not working",
    "customers were charged twice",
    "need help with the invoice of store 40",
    "no internet at the main branch since this morning",
    "a impressora não imprime na loja 7",
    "o sistema caiu aqui na loja 12",
    "não consigo acessar minha conta",
    "preciso de ajuda com o pedido 8812",
    "a maquininha travou e tem fila",
    "estamos sem internet",
    "o preço do leite está errado no caixa",
)

CHATTER = (
    "buen día a todos",
    "buenos días equipo",
    "gracias 🙏",
    "muchas gracias Karla",
    "excelente día",
    "ok enterado",
    "enterados, gracias",
    "va",
    "perfecto, muchas gracias",
    "👍",
    "🙏🙏",
    "jajaja",
    "de nada",
    "con gusto",
    "nos vemos mañana",
    "feliz cumpleaños compañera",
    "a qué hora es la junta",
    "quedo al pendiente",
    "a las 18:00 habrá mantenimiento, no facturen",
    "les recordamos que hoy se cierra el inventario",
    "Aviso: actualización programada el sábado",
    "recuerden enviar su corte antes de las 10",
    "good morning team",
    "thank you so much",
    "ok got it",
    "see you tomorrow",
    "happy birthday!",
    "there will be a maintenance window tonight",
    "bom dia pessoal",
    "muito obrigado",
    "até amanhã",
    "combinado",
)

FOLLOW_UPS = (
    "¿alguna novedad?",
    "alguna respuesta?",
    "sigo en espera",
    "seguimos igual",
    "sigue sin funcionar",
    "todavía nada",
    "ya reiniciamos y sigue igual",
    "cómo va lo de la impresora?",
    "ya quedó?",
    "estatus del ticket?",
    "nadie me ha contestado",
    "no me han respondido",
    "mismo caso en la 305",
    "igual acá",
    "aquí también",
    "es el pedido 7781",
    "??",
    "lo de la 909 sigue igual",
    "any news?",
    "still waiting",
    "same here",
    "alguma novidade?",
    "ainda estamos aguardando",
    "aqui também",
)

RESOLUTIONS = (
    "ya quedó",
    "ya quedó, intenten de nuevo",
    "ya funciona",
    "ya pudimos facturar",
    "listo, ya está liberado",
    "solucionado",
    "ya tenemos sistema",
    "ya no marca error",
    "quedó corregido el precio",
    "it works now",
    "fixed",
    "já voltou",
    "resolvido",
)


def kind_of(text: str) -> Kind:
    kinds = judge(text, CATEGORIES).kinds
    return max(kinds, key=lambda kind: kinds[kind])


@pytest.mark.parametrize("text", INCIDENTS)
def test_a_report_or_a_request_is_an_incident(text: str) -> None:
    assert kind_of(text) is Kind.INCIDENT


@pytest.mark.parametrize("text", CHATTER)
def test_courtesy_and_announcements_are_chatter(text: str) -> None:
    assert kind_of(text) is Kind.CHATTER


@pytest.mark.parametrize("text", FOLLOW_UPS)
def test_insistence_and_details_are_follow_ups(text: str) -> None:
    assert kind_of(text) is Kind.FOLLOW_UP


@pytest.mark.parametrize("text", RESOLUTIONS)
def test_what_works_again_is_a_resolution(text: str) -> None:
    assert kind_of(text) is Kind.RESOLUTION


@pytest.mark.parametrize(
    "text",
    [
        "ya no hay error",
        "sin problema",
        "ya no marca ningún error, gracias",
        "no hay problema, lo vemos mañana",
        "todo bien, sin novedad",
        "no errors anymore",
        "sem problemas",
    ],
)
def test_a_problem_word_that_is_negated_is_no_problem(text: str) -> None:
    verdict = judge(text)
    assert (verdict.signals.problem, kind_of(text) is Kind.INCIDENT) == (0.0, False)


@pytest.mark.parametrize("text", ["todavía no queda listo", "aún no está liberado", "not fixed yet"])
def test_a_resolution_that_is_not_there_yet_is_none(text: str) -> None:
    assert judge(text).signals.resolution == 0.0


@pytest.mark.parametrize("text", ["inventario posible", "la ventana del depósito", "compositor"])
def test_words_inside_of_words_count_for_nothing(text: str) -> None:
    assert judge(text).signals.problem == 0.0


NUMBERS = (
    ("la 909 no puede recepcionar", ("909",), (), ()),
    ("tiendas sin precios: 118, 305 y 410", ("118", "305", "410"), (), ()),
    ("pedido 7781 de la tienda 410", ("410",), ("7781",), ()),
    ("tienda410 no abre", ("410",), (), ()),
    ("410", (), (), ("410",)),
    ("es el 7781", (), (), ("7781",)),
    ("OC 4500123456", (), ("4500123456",), ()),
    ("faltan 120 piezas", (), (), ()),
    ("a las 18:00 hrs", (), (), ()),
    ("cuesta $250 y pasa a 310 pesos", (), (), ()),
    ("en la caja 2 de la 612", ("612",), (), ()),
    ("store 12 and order 5543", ("12",), ("5543",), ()),
    ("loja 7, pedido 8812", (), ("8812",), ()),
    ("folio 77120", (), ("77120",), ()),
    ("remisión R-55120", (), ("55120",), ()),
)


@pytest.mark.parametrize(("text", "sites", "documents", "bare"), NUMBERS)
def test_numbers_are_told_apart_by_the_words_around_them(
    text: str, sites: tuple[str, ...], documents: tuple[str, ...], bare: tuple[str, ...]
) -> None:
    verdict = judge(text)
    assert (verdict.sites, verdict.documents, verdict.bare_numbers) == (sites, documents, bare)


def test_a_number_that_the_group_uses_for_a_store_is_one() -> None:
    assert judge("410", known_sites=frozenset({"410"})).sites == ("410",)


@pytest.mark.parametrize(
    ("text", "category"),
    [
        ("la impresora no imprime", "technical"),
        ("no puedo entrar, contraseña incorrecta", "access"),
        ("no timbra la factura", "billing"),
        ("no aparece la orden de compra del proveedor", "operations"),
        ("el inventario no cuadra", "operations"),
        ("the scanner is broken", "technical"),
        ("esqueci a senha", "access"),
    ],
)
def test_the_category_follows_the_things_that_are_named(text: str, category: str) -> None:
    assert judge(text, CATEGORIES).category == category


def test_keywords_of_the_spec_decide_where_the_lexicon_knows_nothing() -> None:
    categories = (Category("aquarium", ("pecera",)), Category("garden", ("fuente",)))
    assert judge("la fuente gotea", categories).category == "garden"


@pytest.mark.parametrize(
    ("text", "priority"),
    [
        ("no podemos cobrar en la 118", Priority.URGENT),
        ("se cayó todo", Priority.URGENT),
        ("la 909 no puede recepcionar", Priority.HIGH),
        ("el proveedor está esperando en tienda", Priority.HIGH),
        ("118, 305 y 410 no pueden recepcionar: tiendas 118, 305, 410", Priority.URGENT),
        ("me apoyan con el alta de un artículo", None),
        ("una duda, cómo saco el reporte, cuando puedan", Priority.LOW),
        ("we can't take any payments", Priority.URGENT),
    ],
)
def test_the_priority_follows_the_impact(text: str, priority: Priority | None) -> None:
    assert judge(text, CATEGORIES).priority is priority


def test_matched_words_come_from_the_text_alone() -> None:
    verdict = judge("Buen día, la 909 NO IMPRIME, su apoyo")
    assert verdict.matched
    assert all(word in "buen dia, la 909 no imprime, su apoyo" for word in verdict.matched)


@pytest.mark.parametrize(("text", "language"), [("la tienda no abre por favor", "es"), ("the store is closed", "en")])
def test_the_language_is_told_by_marker_words(text: str, language: str) -> None:
    assert judge(text).language == language


def test_a_wall_of_text_is_judged_by_its_beginning() -> None:
    assert judge("la 909 no imprime " + "x" * 16_000).length > 16_000


def test_a_table_is_left_out_only_where_none_of_its_phrases_is() -> None:
    texts = {fold(one.message.text) for path in CONVERSATIONS.glob("*.jsonl") for one in read_conversation(path)}
    for name, table in _TABLES.items():
        assert _ANY[name].groups == sum(pattern.groups for _, pattern in table) == 0
        found = {text for text in texts if any(pattern.search(text) for _, pattern in table)}
        assert found == {text for text in texts if _ANY[name].search(text)}
        assert found < texts


def test_keywords_of_a_category_may_be_any_text() -> None:
    odd = (Category("a", ("(", "pc.", "")), Category("b", (" ",)), Category("c", ("a|b", "caja fuerte")))
    assert judge("la caja fuerte no abre, ni la pc. ni nada", odd).categories == {"a": 0.8, "c": 0.8}
    assert judge("nada", odd).categories == {}
