import pytest

from supportbot.errors import PermanentError, TemporaryError, UnavailableError
from supportbot.whatsapp.gateway import MediaGoneError, SendUnknownError
from supportbot.whatsapp.neonize.failures import download_failure, send_failure
from supportbot.whatsapp.neonize.wire import to_error, to_failure


@pytest.mark.parametrize(
    ("error", "kind", "reason", "not_sent"),
    [
        ("failed to send message node: websocket not connected", UnavailableError, None, True),
        ("server returned error 463", PermanentError, "send_limited", True),
        ("server returned error 429", PermanentError, "send_limited", True),
        ("server returned error 420", PermanentError, "send_limited", True),
        ("server returned error 479", PermanentError, "send_limited", True),
        ("server returned error 400", PermanentError, "send_refused", True),
        ("timed out waiting for message send response", SendUnknownError, None, False),
        ("something new", SendUnknownError, None, False),
    ],
)
def test_the_error_of_a_send(error: str, kind: type[Exception], reason: str | None, not_sent: bool) -> None:
    failure = send_failure(error)

    assert type(failure) is kind
    assert getattr(failure, "reason", None) == reason
    assert to_failure(failure).is_not_sent is not_sent


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        ("download failed with status code 404", MediaGoneError),
        ("download failed with status code 410", MediaGoneError),
        ("download failed with status code 403", MediaGoneError),
        ("failed to download media from last host: hash of media ciphertext doesn't match", MediaGoneError),
        ("no url present", MediaGoneError),
        ("download failed with status code 503", TemporaryError),
        ("websocket not connected", UnavailableError),
        ("EOF", TemporaryError),
    ],
)
def test_the_error_of_a_download(error: str, kind: type[Exception]) -> None:
    assert type(download_failure(error)) is kind


@pytest.mark.parametrize(
    "error",
    [
        UnavailableError("away", dependency="whatsapp", delay_s=3),
        SendUnknownError("perhaps", delay_s=1),
        MediaGoneError("gone"),
        PermanentError("no", reason="send_limited"),
        TemporaryError("later", delay_s=None),
    ],
)
def test_an_error_survives_the_wire(error: Exception) -> None:
    again = to_error(to_failure(error))

    assert (type(again), str(again), vars(again)) == (type(error), str(error), vars(error))


def test_a_bug_in_the_process_keeps_its_words_there() -> None:
    failure = to_failure(KeyError("529980000001"))

    assert failure.error == "temporary"
    assert "529980000001" not in failure.message
