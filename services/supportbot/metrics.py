"""Every Prometheus metric of the services, declared once; label values are closed sets, never ids or text.

A counter that an alert watches is born at 0 (`start_counters`): one that appears with the value 1 never fires
`increase(…) > 0`. Exemplars carry the trace id of sampled spans.
"""

import itertools
import platform

from opentelemetry import trace
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client import exposition as prometheus
from prometheus_client.registry import REGISTRY

from supportbot import __version__

STAGE_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)
END_TO_END_BUCKETS = (0.5, 1, 2, 3, 5, 8, 13, 20, 30, 60, 120, 300, 900, 3600)
WAIT_BUCKETS = (0.001, 0.01, 0.05, 0.1, 0.5, 1, 5, 15, 60, 300, 900, 3600)
CONFIDENCE_BUCKETS = tuple(tenth / 10 for tenth in range(1, 11))
MODEL_BUCKETS = (0.1, 0.25, 0.5, 1, 2, 3, 5, 8, 13)
REQUEST_BUCKETS = (0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)
HTTP_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10)

BUILD_INFO = Gauge("supportbot_build_info", "Always 1; the labels say what runs.", ["version", "python"])

# The pipeline. stage: received, classified, ticketed, replied;
# outcome: ok, duplicate, ignored, retry, dead_letter, error.
MESSAGES = Counter("supportbot_messages_total", "Messages that a stage has settled.", ["stage", "outcome"])
STAGE_DURATION = Histogram(
    "supportbot_stage_duration_seconds",
    "Handling of one message by a stage.",
    ["stage", "outcome"],
    buckets=STAGE_BUCKETS,
)
END_TO_END = Histogram(
    "supportbot_end_to_end_seconds", "From receipt to the answer in the group.", ["outcome"], buckets=END_TO_END_BUCKETS
)
QUEUE_WAIT = Histogram("supportbot_queue_wait_seconds", "From publishing to handling.", ["stage"], buckets=WAIT_BUCKETS)
DELIVERIES = Counter("supportbot_deliveries_total", "Deliveries by attempt: 1, 2, 3, 4+.", ["consumer", "attempt"])
DEAD_LETTERS = Counter("supportbot_dead_letters_total", "Messages given up.", ["stage", "reason"])

# What the operator sees of each bot's pipeline from outside; bot: its key on the bus.
QUEUE_PENDING = Gauge("supportbot_queue_pending", "Messages not delivered yet.", ["bot", "stage"])
QUEUE_ACK_PENDING = Gauge("supportbot_queue_ack_pending", "Messages delivered, not settled.", ["bot", "stage"])
QUEUE_REDELIVERED = Gauge("supportbot_queue_redelivered", "Messages delivered again.", ["bot", "stage"])
QUEUE_OLDEST_AGE = Gauge(
    "supportbot_queue_oldest_age_seconds", "Age of the oldest unsettled message.", ["bot", "stage"]
)
DEAD_LETTER_MESSAGES = Gauge(
    "supportbot_dead_letter_messages", "Dead letters that wait for a person.", ["bot", "stage"]
)
LEDGER_OPEN = Gauge("supportbot_ledger_open_messages", "Messages without a terminal outcome.", ["bot"])
LEDGER_OLDEST_OPEN = Gauge("supportbot_ledger_oldest_open_seconds", "Age of the oldest of them.", ["bot"])
LEDGER_DISCREPANCIES = Counter("supportbot_ledger_discrepancies_total", "Messages found unaccounted for.", ["bot"])

# The classifier. source: the tier (model, local, keywords, structure).
CLASSIFICATIONS = Counter(
    "supportbot_classifications_total", "Messages classified.", ["category", "priority", "source"]
)
CLASSIFICATION_CONFIDENCE = Histogram(
    "supportbot_classification_confidence", "Confidence of the decisions.", ["source"], buckets=CONFIDENCE_BUCKETS
)

# Language models. provider and model come from the spec, nowhere else; outcome: ok, and the words of `OutcomeKind`.
LLM_REQUESTS = Counter("supportbot_llm_requests_total", "Calls of models.", ["provider", "model", "outcome"])
LLM_DURATION = Histogram(
    "supportbot_llm_request_duration_seconds",
    "Duration of one call of a model, answered or not.",
    ["provider", "model"],
    buckets=MODEL_BUCKETS,
)
LLM_TOKENS = Counter(
    "supportbot_llm_tokens_total",
    "Tokens by type: input (with the cached ones), cached, output.",
    ["provider", "model", "type"],
)
LLM_COST = Counter("supportbot_llm_cost_usd_total", "Cost by list prices.", ["provider", "model"])
LLM_UNPRICED = Counter(
    "supportbot_llm_unpriced_requests_total", "Calls with tokens whose price is not known.", ["provider", "model"]
)
LLM_FALLBACKS = Counter(
    "supportbot_llm_fallbacks_total",
    "Turns that went on to the next model, or from the last to the local tier.",
    ["from", "to", "reason"],
)
LLM_SKIPPED = Counter(
    "supportbot_llm_skipped_total",
    "Turns that no model was asked about: no_words, injection, certain_chatter, continues_turn, author_busy, "
    "group_busy, budget_spent, all_away.",
    ["reason"],
)
LLM_DRIFT = Counter(
    "supportbot_llm_drift_total",
    "Sampled turns that are chatter to the local tier; agrees: true, false.",
    ["agrees"],
)
LLM_BUDGET_REMAINING = Gauge("supportbot_llm_budget_remaining_ratio", "What is left of the day's budget, 0 to 1.")
LLM_BUDGET_REMAINING.set(1)  # Also where there is none: 0 would mean that it is spent.

# Zoho Desk.
TICKET_REQUESTS = Counter("supportbot_ticket_requests_total", "Calls to Zoho Desk.", ["operation", "outcome"])
TICKET_REQUEST_DURATION = Histogram(
    "supportbot_ticket_request_duration_seconds",
    "Duration of one call to Zoho Desk.",
    ["operation", "outcome"],
    buckets=REQUEST_BUCKETS,
)
TICKET_ENSURE = Counter(
    "supportbot_ticket_ensure_total", "How a ticket came about: created, found, replayed, parked.", ["result"]
)
TICKETS_PENDING = Gauge(
    "supportbot_tickets_pending", "Tickets that wait: circuit_open, ambiguous, rate_limited.", ["reason"]
)
CIRCUIT_STATE = Gauge("supportbot_circuit_state", "0 closed, 1 half open, 2 open.", ["dependency"])
OAUTH_REFRESH = Counter("supportbot_oauth_refresh_total", "Refreshes of the access token.", ["outcome"])
OAUTH_TOKEN_EXPIRY = Gauge("supportbot_oauth_token_expiry_timestamp_seconds", "When the access token ends.")
API_CREDITS_REMAINING = Gauge("supportbot_api_credits_remaining", "Zoho's API credits left today.")
API_CREDITS_LIMIT = Gauge("supportbot_api_credits_limit", "Zoho's API credits a day.")

# WhatsApp.
WHATSAPP_CONNECTED = Gauge("supportbot_whatsapp_connected", "1 while linked and connected.")
WHATSAPP_LAST_EVENT = Gauge("supportbot_whatsapp_last_event_timestamp_seconds", "Time of the last event.")
WHATSAPP_PAIRING_REQUIRED = Gauge("supportbot_whatsapp_pairing_required", "1 while a person must pair the device.")
WHATSAPP_RECONNECTS = Counter(
    "supportbot_whatsapp_reconnects_total", "Reconnects: connection_lost, process_ended.", ["reason"]
)
WHATSAPP_UNDECRYPTABLE = Counter(
    "supportbot_whatsapp_undecryptable_total", "Messages that came without the key to them, a readable copy may follow."
)
WHATSAPP_LOST = Counter(
    "supportbot_whatsapp_lost_total",
    "Messages that WhatsApp believes delivered, but that a crash kept from the journal.",
)
WHATSAPP_LIMITED = Counter(
    "supportbot_whatsapp_limited_total", "Times that a message had to wait, by the limit's reason.", ["reason"]
)
WHATSAPP_SENDS_LAST_DAY = Gauge("supportbot_whatsapp_sends_last_day", "Messages and reactions of the last 24 hours.")
WHATSAPP_SENDS_LIMIT = Gauge("supportbot_whatsapp_sends_limit", "How many any 24 hours may have; 0: any number.")
WHATSAPP_SENDS_PAUSED = Gauge("supportbot_whatsapp_sends_paused", "1 while a limit lets nothing through.", ["reason"])
WHATSAPP_SEND = Counter("supportbot_whatsapp_send_total", "Messages and reactions sent.", ["outcome"])

# The process.
HTTP_DURATION = Histogram(
    "supportbot_http_server_request_duration_seconds",
    "Duration of one HTTP request.",
    ["method", "route", "status_class"],
    buckets=HTTP_BUCKETS,
)
RATE_LIMITED = Counter("supportbot_rate_limited_total", "Requests answered 429.", ["route", "scope"])
AUTH_FAILURES = Counter("supportbot_auth_failures_total", "Requests answered 401 or 403.", ["route", "reason"])
ERRORS = Counter("supportbot_errors_total", "Errors by component and type.", ["component", "error_type"])
SPANS_DROPPED = Counter("supportbot_telemetry_spans_dropped_total", "Spans lost before their export.", ["signal"])
EXPORT_FAILURES = Counter("supportbot_telemetry_export_failures_total", "Exports that failed.", ["signal"])


def start_counters(service: str) -> None:
    """Bring the counters that alerts watch to life at 0; called once, at the start of a process."""
    BUILD_INFO.labels(__version__, platform.python_version()).set(1)
    SPANS_DROPPED.labels("traces")
    EXPORT_FAILURES.labels("traces")
    stages = {"whatsapp": ("received", "replied"), "classifier": ("classified",), "ticket": ("ticketed",)}.get(service)
    if stages is None:
        return
    for stage, outcome in itertools.product(stages, ("ok", "duplicate", "ignored", "retry", "dead_letter", "error")):
        MESSAGES.labels(stage, outcome)
    for reason in ("rejected", "attempts_exhausted", "bug", "invalid_event", "unknown_type", "broker_refused"):
        DEAD_LETTERS.labels(service, reason)
    if service == "ticket":
        for result in ("ok", "error"):
            OAUTH_REFRESH.labels(result)


def observe(histogram: Histogram, value: float) -> None:
    """Observe a value (a labelled histogram, seconds mostly) with the current trace as its exemplar."""
    histogram.observe(value, exemplar())


def count(counter: Counter, amount: float = 1) -> None:
    """Add to a (labelled) counter with the current trace as its exemplar."""
    counter.inc(amount, exemplar())


def exemplar() -> dict[str, str] | None:
    """`{"trace_id": 32 hex characters}` when the current span is sampled, else None."""
    span = trace.get_current_span().get_span_context()
    return {"trace_id": trace.format_trace_id(span.trace_id)} if span.is_valid and span.trace_flags.sampled else None


def render(accept: str, registry: CollectorRegistry = REGISTRY) -> tuple[bytes, str]:
    """The exposition and its content type: OpenMetrics, which has exemplars, for those who ask for it."""
    encode, content_type = prometheus.choose_encoder(accept)
    return encode(registry), content_type
