"""Folds a chat text so that the lexicon meets one spelling: accents, case, repeats, chat shorthand, missing spaces."""

import re
import unicodedata
from functools import lru_cache

MAX_JUDGED_CHARS = 600
"""A report tells its matter early; the rest of a pasted wall of text is not judged."""

_INVISIBLE = re.compile(r"[\u0000-\u0008\u000b-\u001f\u007f\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]")
_REPEATS = re.compile(r"([^\W\d_])\1{2,}")
_LETTER_DIGIT = re.compile(r"(?<=[^\W\d_]{2})(?=\d{2})|(?<=\d{3})(?=[^\W\d_]{2})")
_MENTION = re.compile(r"@\s?\u2068?[\w+~][\w.+-]*\u2069?")
_URL = re.compile(r"https?://\S+|www\.\S+")
_NOT_WORD = re.compile(r"[^\w\s?$%:/.,#-]|_")
_SPACES = re.compile(r"\s+")

SHORTHAND: dict[str, str] = {
    "q": "que", "k": "que", "ke": "que", "xq": "porque", "pq": "porque", "xk": "porque", "pls": "por favor",
    "plis": "por favor", "plz": "por favor", "pliss": "por favor", "porfa": "por favor", "porfis": "por favor",
    "porfavor": "por favor", "xfa": "por favor", "xfavor": "por favor", "pf": "por favor", "fabor": "favor",
    "please": "por favor", "tmb": "tambien", "tb": "tambien", "tbn": "tambien", "tmbn": "tambien",
    "tanbien": "tambien", "grax": "gracias", "grcs": "gracias", "gracia": "gracias", "gracis": "gracias",
    "grasias": "gracias", "thx": "thanks", "ty": "thanks", "bn": "bien", "buendia": "buen dia",
    "buenosdias": "buenos dias",
    "buenastardes": "buenas tardes", "bns": "buenas", "bnas": "buenas", "bd": "buen dia", "bt": "buenas tardes",
    "tda": "tienda", "tdas": "tiendas", "tnda": "tienda", "suc": "sucursal", "sucs": "sucursales", "ped": "pedido",
    "fact": "factura", "art": "articulo", "arts": "articulos", "prov": "proveedor", "aki": "aqui", "aca": "aqui",
    "sist": "sistema", "msj": "mensaje", "info": "informacion", "dnd": "donde",
    "cdo": "cuando", "nose": "no se", "nomas": "nada mas", "sta": "esta", "toy": "estoy", "pa": "para",
    "vc": "voce", "vcs": "voces", "tbm": "tambem", "blz": "beleza", "obg": "obrigado", "vlw": "valeu",
    "n": "no", "asta": "hasta", "a1": "aun", "apollo": "apoyo", "apoyeme": "apoyenme", "recivir": "recibir",
    "resivir": "recibir", "resepcionar": "recepcionar", "recepsionar": "recepcionar",
    "inprime": "imprime", "inpresora": "impresora", "inventarios": "inventario", "sistem": "sistema", "dont": "don't",
    "cant": "can't", "doesnt": "doesn't", "isnt": "isn't", "wont": "won't", "traspazo": "traspaso",
    "trapaso": "traspaso",
    "mercansia": "mercancia", "nesecito": "necesito", "nececito": "necesito", "nesesito": "necesito",
    "hrs": "horas", "min": "minutos",
}  # fmt: skip


def strip_invisible(text: str) -> str:
    """The text in NFKC without control, zero-width and direction characters."""
    return _INVISIBLE.sub("", unicodedata.normalize("NFKC", text)).strip()


@lru_cache(maxsize=256)  # The same names come with every message, and each text is folded several times.
def fold(text: str) -> str:
    """Lower case without accents; repeated letters, shorthand, mentions and addresses reduced; one space between words.

    Only the first `MAX_JUDGED_CHARS` characters are read.
    """
    text = strip_invisible(text)[:MAX_JUDGED_CHARS]
    text = _URL.sub(" ", _MENTION.sub(" ", text)).lower().replace("’", "'").replace("\u00b4", "'")
    text = "".join(ch for ch in unicodedata.normalize("NFD", text) if unicodedata.category(ch) != "Mn")
    text = _REPEATS.sub(r"\1", text).replace("¿", " ").replace("¡", " ")
    text = _NOT_WORD.sub(lambda match: "'" if match[0] == "'" else " ", text)
    text = _LETTER_DIGIT.sub(" ", text)
    words = (_spell_out(word) for word in _SPACES.split(text) if word)
    return " ".join(word for word in words if word)


def words_of(folded: str) -> list[str]:
    """The words and numbers of a folded text, without punctuation."""
    return re.findall(r"[a-z0-9ñ']+", folded)


def _spell_out(word: str) -> str:
    core = word.strip(".,:;-/#?")
    expanded = SHORTHAND.get(core)
    return word if expanded is None else word.replace(core, expanded, 1)
