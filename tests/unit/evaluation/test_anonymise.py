"""Nobody of the chat is left by name or number, and what connects messages is left."""

import pytest
from tests.unit.evaluation.talk import make_row

from supportbot.evaluation.anonymise import anonymise


def masked(*texts: str, author: str = "Ana Tienda 909", **more: object) -> list[str]:
    rows = [make_row(1, "chatter", author="Lic. Óscar Ruiz"), make_row(2, "chatter", author="+52 998 555 0177")]
    rows += [make_row(3 + number, "chatter", text=text, author=author, **more) for number, text in enumerate(texts)]
    return [row.text for row in anonymise(rows)[2:]]


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("oscar, la 909 no imprime", "alba, la 909 no imprime"),
        ("GRACIAS ÓSCAR", "GRACIAS ALBA"),
        ("@Lic._Óscar_Ruiz ¿novedad?", "@Alba ¿novedad?"),
        ("soy Ana de la tienda 909", "soy Bruno de la tienda 909"),
        ("mi cel 998 555 0177 o +529985550177", "mi cel 12015550100 o +12015550100"),
        ("es el folio 778123 y el pedido 5543", "es el folio 778123 y el pedido 5543"),
        (
            "escribe a ana.perez@tiendas.mx o ve https://tiendas.mx/x?u=ana",
            "escribe a mail2@example.com o ve https://example.com/link1",
        ),
        ("la analítica de la anaconda", "la analítica de la anaconda"),
    ],
)
def test_people_get_other_names_and_numbers(text: str, shown: str) -> None:
    assert masked(text) == [shown]


def test_the_same_is_the_same_everywhere() -> None:
    first, second = masked("llamen al 9985550155", "otra vez 998 555 0155")
    assert first.split()[-1] == second.split()[-1]


def test_who_shares_a_first_name_shares_the_other_one_too() -> None:
    rows = [make_row(1, "chatter", author="Ana 909"), make_row(2, "chatter", author="Ana 305", mentions=("Ana 909",))]
    one, other = anonymise(rows)
    assert (one.author, other.author, other.mentions) == ("Alba", "Alba B", ("Alba",))


def test_titles_and_places_are_no_names() -> None:
    assert masked("la tienda y el lic no abren", author="Tienda Centro") == ["la tienda y el lic no abren"]


def test_files_lose_their_names_and_labels_stay() -> None:
    row = make_row(1, "evidence", "A", media="document", filename="Factura Ana Pérez.pdf")
    (hidden,) = anonymise([row])
    assert (hidden.filename, hidden.incidents, hidden.role, hidden.id) == ("file1.pdf", ("A",), "evidence", "1")
