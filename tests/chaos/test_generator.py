"""The generated conversations are what they claim to be, and plain: read one by one they give the truth."""

import re
from hashlib import sha256

from tests.chaos.generator import Conversations, Post, generate

from supportbot.classifier.incidents import assemble
from supportbot.classifier.memory import Memory
from supportbot.classifier.scene import Policy
from supportbot.classifier.turn import judge_by_keywords, make_turn
from supportbot.contracts import Decision, Media, MessageReceived, Person
from supportbot.ids import make_group_ref, make_message_ref, make_sender_ref

KEY = bytes(32)


def ref(post: Post) -> str:
    return make_message_ref(KEY, chat=post.group, sender=post.sender.phone, message_id=post.id)


def to_message(post: Post, by_id: dict[str, Post], staff: set[str]) -> MessageReceived:
    phone = post.sender.phone
    sender = Person(ref=make_sender_ref(KEY, phone), phone=phone, push_name=post.sender.name, staff=phone in staff)
    media = Media(kind="image", sha256=sha256(post.photo).hexdigest()) if post.photo else None
    return MessageReceived(
        message_ref=ref(post),
        group_ref=make_group_ref(KEY, post.group),
        sender=sender,
        sent_at=post.sent_at,
        received_at=post.sent_at,
        text=post.text,
        media=media,
        quoted_ref=ref(by_id[post.quoted]) if post.quoted else None,
    )


def classify(talk: Conversations) -> dict[str, Decision]:
    """The last decision about every post."""
    by_id, staff = {post.id: post for post in talk.posts}, {one.phone for one in talk.staff}
    ids = {ref(post): post.id for post in talk.posts}
    memories = dict.fromkeys(talk.groups, Memory())
    decisions: dict[str, Decision] = {}
    for post in talk.posts:
        memory, message = memories[post.group], to_message(post, by_id, staff)
        verdict = judge_by_keywords(make_turn(memory, message), Policy())
        assembly, memories[post.group] = assemble(memory, message, verdict)
        decisions[post.id] = assembly.decision
        decisions |= {ids[one]: decision for one, decision in assembly.earlier.items()}
    return decisions


def test_the_same_seed_gives_the_same_conversations() -> None:
    assert generate(3, messages=300) == generate(3, messages=300)
    assert generate(3, messages=300) != generate(4, messages=300)


def test_there_are_as_many_posts_as_asked_for_in_order_of_time() -> None:
    talk = generate(5, messages=777)
    times = [post.sent_at for post in talk.posts]
    assert len(talk.posts) == 777
    assert times == sorted(times)
    assert {post.group for post in talk.posts} == set(talk.groups)
    assert len(talk.groups) == 8


def test_every_number_and_every_photo_occurs_once() -> None:
    talk = generate(6, messages=1000)
    numbers = [number for post in talk.posts for number in re.findall(r"7[0-9]{7}", post.text)]
    photos = [sha256(post.photo).hexdigest() for post in talk.posts if post.photo]
    claimed = [number for one in talk.incidents for number in (one.marker, *one.follow_ups)]
    assert sorted(numbers) == sorted(claimed) == sorted(set(numbers))
    assert sorted(photos) == sorted(photo for one in talk.incidents for photo in one.photos)
    assert len(photos) == len(set(photos))


def test_some_people_report_in_two_groups() -> None:
    groups: dict[str, set[str]] = {}
    for post in generate(7, messages=1000).posts:
        groups.setdefault(post.sender.phone, set()).add(post.group)
    assert max(len(places) for places in groups.values()) == 2


def test_the_conversations_are_plain() -> None:
    """What is wrong in a campaign is no misunderstanding."""
    talk = generate(20_261, messages=2000)
    decisions = classify(talk)
    texts = {number: post for post in talk.posts for number in re.findall(r"7[0-9]{7}", post.text)}
    photos = {sha256(post.photo).hexdigest(): post for post in talk.posts if post.photo}
    opened = {post_id for post_id, decision in decisions.items() if decision.opens}
    assert opened == {incident.opening for incident in talk.incidents}
    for incident in talk.incidents:
        expected = decisions[incident.opening].incident_id
        parts = [*(texts[one] for one in incident.follow_ups), *(photos[one] for one in incident.photos)]
        assert {decisions[part.id].incident_id for part in parts} <= {expected}
