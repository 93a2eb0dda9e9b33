"""Lone lines out of the blue: what opens an incident though it holds none of the usual words, and what never does.

The lines were written before they were tried; those that only a conversation can tell are left out.
"""

import pytest
from tests.unit.classifier.group import POLICY, Group

from supportbot.contracts import Decision
from supportbot.evaluation.run import Judge
from supportbot.evaluation.tiers import TierName, available_tiers, make_judge

REPORTS = (
    "oigan en la 431 nos aparece la remisión de otra tienda",
    "me pueden mandar el reporte de merma de agosto",
    "el lector no agarra los códigos chiquitos",
    "buen dia no encuentro el pedido 88412",
    "facturas del dia 5 siguen sin bajar suc 207",
    "apoyo!! cliente esperando su nota de crédito",
    "los vales de despensa no pasan",
    "se requiere baja de usuario jperez",
    "tenemos el sistema lentisimo desde las 10",
    "la pantalla del cliente se quedó negra",
    "hay un artículo que no existe en catálogo y el proveedor lo trae",
    "Buenas tardes, pedido 5512 dice surtido parcial pero el camión ya se fue",
    "como puedo regresar mercancía de otro proveedor",
    "quisiera saber por qué no me llegó mi pedido",
    "transferencia 991 atorada",
    "ayer depositamos y no se ve reflejado",
    "no podemos hacer corte",
    "entrada duplicada folio 33121",
    "caja 3 no abre el cajon",
    "modificar cantidad de la orden 7781 de 10 a 100",
    "solicito cambio de precio del sku 10023",
    "me sale usuario bloqueado",
    "que se hace cuando un producto no trae etiqueta",
    "en la app dice entregado y no hay nada",
    "necesitamos tóner en la 118",
    "código de barras ilegible en toda la caja de galletas, no lo lee",
    "hola, me borraron mis accesos",
    "can't log in since the update",
    "the fridge in 204 is reading 12 degrees",
    "we were charged twice for order 4410",
    "please add Maria to the ordering portal",
    "no stock showing for item 7712",
    "how can I print the packing slip again",
    "my delivery came without the invoice",
    "order 3321 still says processing but we got it monday",
    "não consigo fechar o caixa",
    "loja 210 sem internet",
    "preciso do boleto da nota 3321",
    "a impressora tá saindo tudo borrado",
    "produto sem cadastro, cliente esperando",
    "o pedido 7712 veio faltando 2 caixas",
    "chegou mercadoria que não pedi, como devolvo?",
    "corrigir a data da entrega 5512 pfv",
    "la comanda se imprime dos veces",
    "no cargan las fotos",
    "buen día, factura 8812 sin xml",
    "folio 4471 de la 118 no baja",
    "cómo le hago para cancelar un vale?",
    "necesito alta de proveedor",
    "liberar pedido 5521 porfis",
    "ya van dos veces que se va la luz y se desconfigura la terminal",
    "precio mal en sistema: coca 600 dice 22 y es 19",
    "tienda 305 no sube el corte",
)

CHATTER = (
    "buenos dias a todos",
    "ya estamos todos?",
    "jajaja que mala onda con el sistema",
    "feliz cumple mari 🎂",
    "quien se llevó mi pluma jajaja",
    "el lunes es puente, no olviden",
    "les recuerdo subir su asistencia antes de las 5",
    "ya llegó el camion?",
    "alguien tiene bolsas que le sobren?",
    "en la 118 tenemos 4 cajas de agua por si ocupan",
    "hoy hace un calor",
    "vamos con todo equipo",
    "que buen error jajaja ni hablar",
    "nos vemos al rato",
    "les comparto el nuevo directorio",
    "mi tel nuevo es 55 5550 0144",
    "alguien sabe si mañana se trabaja",
    "pizza para todos el viernes",
    "perdón grupo equivocado",
    "eliminé el mensaje, era para otro chat",
    "felicidades a la 305 por la meta",
    "vendo boletos para la rifa, 50 pesos",
    "ok quedo al pendiente",
    "happy friday everyone",
    "good luck with inventory today!",
    "does anyone have a spare charger",
    "meeting moved to 3pm",
    "sorry wrong group",
    "bom dia gente, boa semana",
    "alguém tem troco pra 100?",
    "parabéns pela meta loja 302",
    "amanhã é feriado né",
    "kkkk só rindo pra não chorar",
    "alguien vio el partido anoche",
    "que descanse en paz don pedro, mucha fuerza a la familia",
    "ya casi es quincena 🙌",
    "https://ejemplo.test/video miren esto",
    "no puedo creer que ganamos",
    "error de dedo, perdón",
    "se solicita a todos llenar la encuesta antes del viernes",
)


TIERS: dict[TierName, Judge] = {
    tier: make_judge(tier, POLICY) for tier in available_tiers() if tier is not TierName.RULE
}
STILL_OPENS = {(TierName.KEYWORDS, "mi tel nuevo es 55 5550 0144")}
"""Known flaws; `docs/limits.md` tells them."""


def decide(tier: TierName, text: str) -> Decision:
    """What becomes of a text by somebody who was silent so far, in a group where nothing goes on."""
    group = Group(judge=TIERS[tier])
    group.say(0, "Caro", "buen día")
    group.say(4000, "Berta", "hola")
    return group.say(3600, "Ana", text).decision


@pytest.mark.parametrize("tier", TIERS)
@pytest.mark.parametrize("text", REPORTS)
def test_no_report_is_passed_over(tier: TierName, text: str) -> None:
    decision = decide(tier, text)
    assert decision.opens or decision.asks


@pytest.mark.parametrize("tier", TIERS)
def test_hardly_a_report_needs_to_be_asked_about(tier: TierName) -> None:
    assert sum(decide(tier, text).opens for text in REPORTS) >= 0.9 * len(REPORTS)


@pytest.mark.parametrize(("tier", "text"), [(a, b) for a in TIERS for b in CHATTER if (a, b) not in STILL_OPENS])
def test_chatter_opens_nothing(tier: TierName, text: str) -> None:
    assert not decide(tier, text).opens


@pytest.mark.parametrize(("tier", "text"), sorted(STILL_OPENS))
@pytest.mark.xfail(strict=True, reason="a text with a number opens too easily at the start of a quiet group")
def test_chatter_should_open_nothing(tier: TierName, text: str) -> None:
    assert not decide(tier, text).opens
