from supportbot.whatsapp.gateway import LINK_REASONS, LinkState


def test_every_state_of_the_link_has_a_reason_of_its_own() -> None:
    assert set(LINK_REASONS) == set(LinkState)
    assert len(set(LINK_REASONS.values())) == len(LinkState)
    assert all(reason.isalpha() and reason[0].isupper() for reason in LINK_REASONS.values())
