# The gateway alone: no bench, no speech engines, no embedded servers. Settings: .env.example.
#   docker build -t clinic-voice-gateway .
#   docker run --rm --env-file .env -e HOST=0.0.0.0 -p 8080:8080 clinic-voice-gateway
#   docker run --rm --env-file .env clinic-voice-gateway python -m booking.migrate
FROM python:3.11-slim AS build

WORKDIR /build
RUN python -m venv /opt/venv
COPY requirements.lock .
RUN /opt/venv/bin/pip install --no-cache-dir --no-deps --require-hashes -r requirements.lock

FROM python:3.11-slim

RUN useradd --system --uid 10001 --no-create-home --shell /usr/sbin/nologin gateway
COPY --from=build /opt/venv /opt/venv
WORKDIR /app
COPY LICENSE NOTICE ./
COPY compliance ./compliance
COPY booking ./booking
COPY pipeline ./pipeline
COPY gateway ./gateway

ENV PATH=/opt/venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    HOST=0.0.0.0 \
    PORT=8080
USER 10001
EXPOSE 8080

HEALTHCHECK --interval=10s --timeout=3s --start-period=20s \
    CMD ["python", "-c", "import os, urllib.request as r; r.urlopen(f\"http://127.0.0.1:{os.environ['PORT']}/healthz\", timeout=2)"]

# SIGTERM drains: no new calls, live ones finish. Give it time (docker stop --time, terminationGracePeriodSeconds).
CMD ["python", "-m", "gateway"]
