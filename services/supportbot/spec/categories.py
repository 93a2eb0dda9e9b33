"""The categories of a bot that names none of its own. The CRD lists their names in a rule; a test holds both equal."""

from supportbot.contracts import Priority
from supportbot.spec.model import Category


def _category(name: str, priority: Priority, description: str, keywords: str) -> Category:
    words = [" ".join(line.split()) for line in keywords.replace("\n", ",").split(",")]
    return Category.model_validate(
        {"name": name, "priority": priority, "description": description, "keywords": [word for word in words if word]}
    )


DEFAULT_CATEGORIES = (
    _category(
        "technical",
        Priority.HIGH,
        "Equipment, network or software does not work: tills, terminals, printers, scanners, internet, errors.",
        """falla, error, no funciona, no sirve, no jala, no prende, no abre, trab, se cayo, sin sistema, sistema caido
        lento, pantalla, impresora, lector, internet, sin red, sin senal, servidor, equipo
        fail, broken, not working, crash, frozen, offline, printer, scanner, network, screen, error code, slow
        falha, erro, nao funciona, nao liga, nao abre, travou, caiu, sem sistema, sem internet
        impressora, tela, lentid""",
    ),
    _category(
        "billing",
        Priority.HIGH,
        "Charging, payments, card terminals, invoices, refunds and cash differences.",
        """cobr, pago, tarjeta, factura, timbr, reembols, devolu, cargo doble, corte de caja, terminal bancaria, tpv
        nota de credito, transferenc
        payment, charge, refund, invoice, billing, card declined, receipt, checkout, till
        cobran, pagament, cartao, nota fiscal, fatur, estorno, reembolso, maquininha, pix, boleto
        fechamento de caixa""",
    ),
    _category(
        "access",
        Priority.MEDIUM,
        "Users, passwords, permissions, locked accounts, new or removed access.",
        """acceso, contrasen, clave, usuario, bloquead, permiso, iniciar sesion, no puedo entrar, alta de usuario, token
        password, login, log in, sign in, locked out, permission, account, access, reset
        senha, acesso, usuario bloqueado, permissa, nao consigo entrar, liberar, cadastro, conta bloqueada""",
    ),
    _category(
        "operations",
        Priority.MEDIUM,
        "Goods, orders, inventory, prices, deliveries and other processes of a site that are stuck or wrong.",
        """inventari, pedido, mercanc, recepcion, embarque, entrega, traspaso, existencia, precio, etiqueta, proveedor
        orden de compra, faltante, ruta
        order, inventory, stock, delivery, shipment, goods, price, label, supplier, transfer, route, missing item
        estoque, mercadoria, recebiment, remessa, transferenc, preco, fornecedor, rota, falta de""",
    ),
    _category(
        "general_inquiry",
        Priority.LOW,
        "Questions on how something is done, and requests for information.",
        """duda, consulta, pregunta, como se hace, como puedo, informacion, horario, procedimiento, manual
        question, how do i, how to, information, where can i, instructions
        duvida, pergunta, como faco, como se faz, informac, procediment, onde encontro""",
    ),
    _category(
        "complaint",
        Priority.HIGH,
        "Dissatisfaction with a service, a person or the handling of an earlier incident.",
        """queja, reclam, mal servicio, mala atencion, molest, inaceptable, pesim
        complaint, complain, unacceptable, terrible service, bad service, rude
        reclamac, pessim, atendimento ruim, insatisfeit, absurdo""",
    ),
)
