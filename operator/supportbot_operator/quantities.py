"""Kubernetes quantities, as far as the sizes of volumes go."""

import re
from decimal import Decimal

_QUANTITY = re.compile(r"^([0-9]+(?:\.[0-9]+)?|\.[0-9]+)(m|k|M|G|T|P|E|Ki|Mi|Gi|Ti|Pi|Ei|[eE][0-9]+)?$")
_FACTORS = {
    "": Decimal(1),
    "m": Decimal("0.001"),
    **{suffix: Decimal(1000) ** power for power, suffix in enumerate("kMGTPE", start=1)},
    **{f"{suffix}i": Decimal(1024) ** power for power, suffix in enumerate("KMGTPE", start=1)},
}


def parse_quantity(text: str) -> Decimal:
    """The number that a quantity such as `1.5Gi` stands for.

    Raises:
        ValueError: It is no quantity.
    """
    match = _QUANTITY.match(text)
    if match is None:
        raise ValueError(f"{text!r} is not a quantity such as 1Gi")
    number, suffix = Decimal(match[1]), match[2] or ""
    if suffix[:1] in {"e", "E"} and suffix != "E" and suffix != "Ei":
        return number * Decimal(10) ** int(suffix[1:])
    return number * _FACTORS[suffix]


def is_smaller(one: str, other: str) -> bool:
    """Whether the first quantity is less than the second."""
    return parse_quantity(one) < parse_quantity(other)
