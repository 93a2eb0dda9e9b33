"""The human page: the newest tickets with their conversation and files. Plain HTML, everything escaped, no scripts."""

import re
from collections.abc import Iterable
from html import escape, unescape

from .answers import Record
from .portal import Portal

PER_PAGE = 50

_STYLE = """
:root{color-scheme:light dark;--ground:#f4f5f7;--card:#fff;--ink:#1d2330;--soft:#667085;--line:#e3e6eb;--accent:#1f6feb}
@media (prefers-color-scheme:dark){:root{--ground:#12151b;--card:#1b2029;--ink:#e6e9ef;--soft:#98a2b3;--line:#2c3340;
--accent:#79aefc}}
*{box-sizing:border-box}
body{margin:0;background:var(--ground);color:var(--ink);font:15px/1.5 system-ui,sans-serif}
header{background:var(--card);border-bottom:1px solid var(--line);padding:14px 20px;position:sticky;top:0}
header h1{font-size:18px;margin:0}header p{margin:2px 0 0;color:var(--soft);font-size:13px}
main{max-width:900px;margin:20px auto;padding:0 16px}
a{color:var(--accent);text-decoration:none}a:hover{text-decoration:underline}
article{background:var(--card);border:1px solid var(--line);border-radius:10px;margin:0 0 16px;padding:16px 18px}
article h2{font-size:16px;margin:0 0 6px;overflow-wrap:anywhere}
.facts{display:flex;flex-wrap:wrap;gap:6px 14px;color:var(--soft);font-size:13px;align-items:center}
.pill{border-radius:99px;padding:1px 10px;font-size:12px;font-weight:600;background:#e7ebf2;color:#344054}
.open{background:#fff1d6;color:#8a5300}.hold{background:#e6e8ff;color:#3b3f9e}.closed{background:#d9f2e0;color:#15653a}
.high{background:#fde0de;color:#9c2018}
.message{border-left:3px solid var(--line);margin:12px 0 0;padding:2px 0 2px 12px;overflow-wrap:anywhere}
.message.agent{border-color:var(--accent)}.message.private{border-color:#d29922;background:#d2992214}
.message b{font-size:13px}.message time,.message i{color:var(--soft);font-size:12px;margin-left:6px}
.message p{margin:2px 0;white-space:pre-wrap}
.files{display:flex;flex-wrap:wrap;gap:10px;margin:10px 0 0}
.files a{border:1px solid var(--line);border-radius:8px;padding:6px;font-size:12px;max-width:150px;overflow:hidden;
text-overflow:ellipsis;white-space:nowrap}
.files img{display:block;width:136px;height:96px;object-fit:cover;border-radius:5px;margin-bottom:4px;background:#8882}
nav{display:flex;justify-content:space-between;margin:0 0 30px}
.empty{text-align:center;color:var(--soft);padding:60px 0}
"""
_PICTURES = frozenset({"image/png", "image/jpeg", "image/gif", "image/webp"})
_PILLS = {"Open": "open", "On Hold": "hold", "Closed": "closed"}


def tickets_page(portal: Portal, page: int) -> str:
    """The newest tickets first, `PER_PAGE` on a page; pages start at 1."""
    newest = list(portal.store.tickets)[::-1]
    start = (max(page, 1) - 1) * PER_PAGE
    shown = newest[start : start + PER_PAGE]
    cards = "".join(_card(portal, ticket) for ticket in shown)
    empty = '<p class="empty">No tickets here. They appear as soon as somebody opens one.</p>'
    newer = f'<a href="/?page={page - 1}">newer</a>' if page > 1 else "<span></span>"
    older = f'<a href="/?page={page + 1}">older</a>' if len(newest) > start + PER_PAGE else "<span></span>"
    counts = (
        f"{len(portal.store.tickets)} tickets, {len(portal.store.contacts)} contacts, "
        f"{sum(1 for _ in portal.store.comments)} comments, {sum(1 for _ in portal.store.attachments)} attachments"
    )
    return _document(portal, counts, f"{cards or empty}<nav>{newer}{older}</nav>")


def ticket_page(portal: Portal, ticket_id: str) -> str | None:
    """One ticket, `None` if there is none."""
    ticket = portal.store.tickets.get(ticket_id)
    if ticket is None:
        return None
    return _document(
        portal, f"Ticket #{ticket['ticketNumber']}", f"{_card(portal, ticket)}<nav><a href='/'>all</a></nav>"
    )


def _document(portal: Portal, line: str, content: str) -> str:
    name = escape(portal.settings.organization_name)
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<title>{name} · Desk emulator</title><style>{_STYLE}</style></head><body>"
        f'<header><h1><a href="/">{name}</a> · Desk emulator</h1><p>{escape(line)}</p></header>'
        f"<main>{content}</main></body></html>"
    )


def _card(portal: Portal, ticket: Record) -> str:
    store = portal.store
    contact = store.contacts.get(ticket["contactId"]) or {}
    messages = [
        *((one["commentedTime"], _comment(portal, one)) for one in store.comments.of(ticket["id"])),
        *((one["createdTime"], _thread(one)) for one in store.threads.of(ticket["id"])),
    ]
    first = _message("Description", ticket["createdTime"], html_to_text(ticket["description"] or ""), "")
    later = "".join(text for _, text in sorted(messages, key=lambda pair: pair[0]))
    return (
        f'<article><h2><a href="/tickets/{ticket["id"]}">#{escape(ticket["ticketNumber"])}</a> '
        f"{escape(ticket['subject'] or '(no subject)')}</h2>{_facts(portal, ticket, contact)}"
        f"{first}{_files(store.attachments_of(ticket['id']))}{later}</article>"
    )


def _facts(portal: Portal, ticket: Record, contact: Record) -> str:
    department = portal.settings.department(ticket["departmentId"])
    name = f"{contact.get('firstName') or ''} {contact.get('lastName') or ''}".strip()
    phone = contact.get("mobile") or contact.get("phone")
    custom = [f"{key} {value}" for key, value in ticket["cf"].items() if value is not None]
    status = _pill(ticket["status"], _PILLS.get(ticket["statusType"], ""))
    high = "high" if ticket["priority"] in {"High", "Urgent"} else ""
    priority = _pill(ticket["priority"], high) if ticket["priority"] else ""
    gone = _pill("trashed", "high") if ticket["isTrashed"] else ""
    plain = [f"{name} {phone or ''}".strip(), department.name if department else "", ticket["category"]]
    plain += [ticket["createdTime"].replace("T", " ")[:16], *ticket["tags"], *custom]
    rest = "".join(f"<span>{escape(text)}</span>" for text in plain if text)
    return f'<div class="facts">{status}{priority}{gone}{rest}</div>'


def _pill(text: str, kind: str) -> str:
    return f'<span class="pill {kind}">{escape(text)}</span>'


def _comment(portal: Portal, comment: Record) -> str:
    text = comment["content"] if comment["contentType"] == "plainText" else html_to_text(comment["content"])
    notes = "" if comment["isPublic"] else "private"
    name = comment["commenter"]["name"]
    files = _files(portal.store.attachments_of(comment["ticketId"], comment["id"]))
    return (
        _message(name, comment["commentedTime"], text, notes, own=comment["commenterId"] == portal.store.me["id"])
        + files
    )


def _thread(thread: Record) -> str:
    notes = f"{thread['channel']} {thread['direction']}, {thread['visibility']}, {thread['status']}".lower()
    return _message(thread["author"]["name"], thread["createdTime"], thread["content"], notes, own=False)


def _message(name: str, at: str, text: str, notes: str, *, own: bool = True) -> str:
    kind = "private" if notes == "private" else "" if own else "agent"
    note = f"<i>{escape(notes)}</i>" if notes else ""
    time = f"<time>{escape(at.replace('T', ' ')[:19])}</time>"
    return f'<div class="message {kind}"><b>{escape(name)}</b>{time}{note}<p>{escape(text)}</p></div>'


def _files(files: Iterable[Record]) -> str:
    links = "".join(_file(file) for file in files)
    return f'<div class="files">{links}</div>' if links else ""


def _file(file: Record) -> str:
    address = f"/_emulator/attachments/{file['id']}"
    picture = f'<img loading="lazy" src="{address}" alt="">' if file["contentType"] in _PICTURES else ""
    name = escape(file["name"])
    return f'<a href="{address}" title="{name}">{picture}{name}<br>{max(file["size"] // 1024, 1)} KB</a>'


def html_to_text(html: str) -> str:
    """The text of a small HTML description: line breaks kept, every tag dropped."""
    broken = re.sub(r"(?i)<br\s*/?>|</(?:p|div|li|tr|h[1-6])>", "\n", html)
    return unescape(re.sub(r"<[^>]*>", "", broken)).strip()
