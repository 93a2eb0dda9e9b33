from pathlib import Path

from supportbot.whatsapp.gateway import LINK_REASONS, LinkState
from supportbot.whatsapp.limits import Limit

CONDITIONS = (Path(__file__).parents[3] / "docs" / "kubernetes.md").read_text(encoding="utf-8")


def test_every_state_of_the_link_has_a_reason_of_its_own() -> None:
    assert set(LINK_REASONS) == set(LinkState)
    assert len(set(LINK_REASONS.values())) == len(LinkState)
    assert all(reason.isalpha() and reason[0].isupper() for reason in LINK_REASONS.values())


def test_what_a_condition_says_of_the_link_is_explained() -> None:
    reasons = [*LINK_REASONS.values(), Limit.PAUSED, Limit.QUIET_HOURS, Limit.DAY_FULL]

    assert [reason for reason in reasons if f"`{reason}`" not in CONDITIONS] == []
