# syntax=docker/dockerfile:1
# One image, one command per process: python -m supportbot.whatsapp | classifier | ticket
ARG BASE_IMAGE=python:3.11-slim

FROM ${BASE_IMAGE} AS dependencies
COPY requirements.lock .
RUN python -m venv /opt/venv \
 && /opt/venv/bin/pip install --no-cache-dir --disable-pip-version-check --require-hashes --no-deps -r requirements.lock \
 && /opt/venv/bin/pip uninstall --yes --quiet pip setuptools

FROM ${BASE_IMAGE}
LABEL org.opencontainers.image.title="supportbot" \
      org.opencontainers.image.description="From the chatter of a WhatsApp group to one Zoho Desk ticket per incident" \
      org.opencontainers.image.licenses="MIT"
COPY --from=dependencies /opt/venv /opt/venv
COPY services/supportbot /app/supportbot
ENV PATH=/opt/venv/bin:$PATH PYTHONPATH=/app PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
USER 65532:65532
WORKDIR /app
STOPSIGNAL SIGTERM
CMD ["python", "-m", "supportbot.cli", "--help"]
