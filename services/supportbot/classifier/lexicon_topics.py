# ruff: noqa: E501, ISC004 - phrases are long, and a missing comma would be a type error
"""What a support group's things are called, by topic, and what shows the impact of a fault.

A topic is mapped to the first of the bot's categories that carries one of its names; own keywords of a category count beside.
"""

from typing import Final

from supportbot.classifier.lexicon import Table
from supportbot.contracts import Priority

OBJECTS: Final[dict[str, str]] = {
    "goods": r"pedido*|orden* de compra|orden|ordenes|oc|odc|traspaso*|transferencia*|recepcion*|recib*|entrada* de mercancia|mercancia*|inventario*|existencia*|"
    r"stock|articulo*|producto*|codigo*|sku|plu|upc|ean|merma*|devolucion*|surtid*|surtir|proveedor*|embarque*|almacen|bodega|cedis|conteo*|etiqueta*|"
    r"precio*|costo*|promo*|oferta*|catalogo|alta|unidad de medida|piezas|caja de|lote*|caducidad*|remision*|entrega*|faltante*|sobrante*|receta*|insumo*|"
    r"order*|stock|inventory|goods|delivery|deliveries|shipment*|item*|price*|barcode*|supplier*|return*|transfer*|estoque|preco*|produto*|entrega|fornecedor*|mercadoria",
    "billing": r"factur*|timbr*|cfdi|nota* de credito|cobro*|cobrad*|pago*|pagar|iva|rfc|fiscal|importe*|cargo|reembols*|saldo|corte*|arqueo|cuenta por pagar|invoice*|"
    r"bill*|charge*|charged|payment*|refund*|paypal|tax|fatura*|nota fiscal|pagamento*|cobrado|cobranca|boleto*|reembolso",
    "access": r"contraseña*|contrasena*|password*|clave*|usuario*|acceso*|accesar|login|log in|permiso*|perfil*|cuenta|cuenta de|sesion|credencial*|vpn|autorizacion*|"
    r"user|users|account*|access*|permission*|locked out|senha*|usuario|acesso|acessar|conta|correo|loguear*",
    "hardware": r"impresora*|printer*|escaner*|scanner*|lector*|teclado*|mouse|monitor*|pantalla*|bascula*|cajon*|computadora*|laptop|pc|cpu|terminal*|pinpad|tpv|tablet*|"
    r"handheld|hand held|telefono|camara*|router|modem|ups|no break|nobreak|regulador|cable*|rollo|tickets no|kds|reloj checador|checador|celular|impressora*|"
    r"maquininha*|leitor|teclado|keyboard|screen|scale|drawer|cafetera|refrigerador|equipo de computo|colector*",
    "network": r"internet|red|wifi|wi-fi|conexion|enlace|señal|senal|network|connection|rede|conexao|sem internet|telefonia",
    "application": r"sistema*|app|aplicacion*|aplicativo*|plataforma*|portal*|pagina*|sap|erp|pos|punto de venta|software|programa*|modulo*|reporte*|dashboard|outlook|"
    r"excel|web|sitio|servidor*|server|system|website|page|application|report*|interfaz|interface|version|facturador",
}  # fmt: skip
"""Phrases of `lexicon`'s notation by topic; a hit also counts as an `object`."""

TOPIC_NAMES: Final[dict[str, tuple[str, ...]]] = {
    "goods": ("operations", "goods", "goods_and_orders", "orders", "inventory", "operaciones", "pedidos", "mercancia", "operacoes", "general_inquiry"),
    "billing": ("billing", "finance", "facturacion", "payments", "faturamento"),
    "access": ("access", "accounts", "accesos", "accesses", "acesso", "technical"),
    "hardware": ("hardware", "equipment", "equipo", "technical", "tecnico"),
    "network": ("network", "connectivity", "red", "hardware", "technical", "tecnico"),
    "application": ("application", "software", "app", "systems", "sistemas", "technical", "tecnico"),
}  # fmt: skip

TOPIC_WEIGHTS: Final[dict[str, float]] = {
    "goods": 1.0, "billing": 1.3, "access": 1.3, "hardware": 1.2, "network": 1.2, "application": 0.7,
}  # fmt: skip
"""A system is named in reports of every kind, so it says least about the topic."""

IMPACT: Final[dict[Priority, Table]] = {
    Priority.URGENT: (
        (1, r"(?:no|sin|nao|can't|cannot) (?:~)?(?:podemos|puedo|pueden|puede|poder|deja|permite|conseguimos|se puede)? ?(?:cobr*|vend*|operar|trabajar|take any payments|take payments|sell)"),
        (1, r"sin sistema|se cayo (?:todo|el sistema|la red)|no tenemos sistema|ninguna tienda|todas las tiendas|varias tiendas|todo (?:el|la) (?:sistema|tienda) (?:caid*|parad*|detenid*)"),
        (1, r"tienda (?:parada|detenida|cerrada)|venta* detenida*|sin venta*|robo|(?:hay|tengo|tenemos|con) (?:mucha |una )?fila|hacke*|fraude|alguien entro a mi cuenta|incendio|humo|everything is down|"
            r"(?:system|pos|site) is down|o sistema caiu|nao conseguimos vender|all stores|todas as lojas"),
    ),
    Priority.HIGH: (
        (1, r"(?:no|tampoco|aun no|todavia no|nao) (?:~)?(?:puedo|puede|pueden|podemos|pude|pudo|pudimos|deja|dejan|dejo|permit*|imprim*|timbr*|abre|abren|funcion*|jal*|sirv*|"
            r"lee|leen|prend*|enciend*|recib*|recepcion*|conect*|carga|entra|proces*|factur*|consig*|conseg*|responde*|avanz*|reflej*|aparece*|cuadra*|coincid*|integr*|deja*|enfria*)"),
        (1, r"(?:proveedor|cliente*|chofer|transportista|repartidor|camion|unidad)\w* (?:\w+ ){0,3}(?:espera*|esperando|aqui|en tienda|molest*)|esperando (?:el|la|los) "
            r"(?:proveedor|cliente*|chofer)|urge|urgente|urgencia|lo antes posible|a la brevedad|cuanto antes|asap|urgent|immediately|detenid*|parad*"),
        (1, r"sin (?:internet|luz|red|linea|poder)|se cayo|se fue (?:la luz|el internet|el sistema|la red)|no (?:nos |les )?lleg\w+|averiad*|danad*|ya (?:lo|la|se) va|caid*|bloquead*|not working|doesn't work|is down|is out|double charged|won't|can't|unable|sem internet|"
            r"nao (?:esta )?(?:funcion*|imprim*|pass*|abre)|cobrad* duas|duplicad*|customers? waiting|apagad*|se apago"),
    ),
    Priority.LOW: (
        (1, r"cuando (?:puedan|pueda|tengan (?:tiempo|oportunidad|chance)|puedas)|sin prisa|no urge|no es urgente|(?:una |tengo una )?(?:duda|pregunta|consulta)|como (?:saco|puedo|se) |"
            r"when you (?:can|have time)|no rush|quick question|quando puderem|sem pressa|se puede trabajar|mouse nuevo|reenviar"),
    ),
}  # fmt: skip
"""Phrases by the priority they show; Medium is what is left."""
