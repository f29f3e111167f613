"""Where spans go."""

from dataclasses import dataclass, field
from importlib.util import find_spec

from gateway.settings.reader import Reader


@dataclass(frozen=True, slots=True)
class Otel:
    """Where spans go; nowhere without an endpoint. `headers`: as `name=value,name=value`."""

    endpoint: str = ""
    headers: str = field(default="", repr=False)
    service: str = "voice-gateway"


def read_otel(reader: Reader) -> Otel:
    """The names are those of OpenTelemetry itself."""
    endpoint = reader.url("OTEL_EXPORTER_OTLP_ENDPOINT", "", ("https", "http"))
    if endpoint and not all(map(find_spec, ("opentelemetry", "opentelemetry.sdk", "opentelemetry.exporter"))):
        reader.faults.append("OTEL_EXPORTER_OTLP_ENDPOINT needs the extra: pip install '.[otel]'")
    return Otel(
        endpoint=endpoint,
        headers=reader.text("OTEL_EXPORTER_OTLP_HEADERS", "", secret=True),
        service=reader.text("OTEL_SERVICE_NAME", "voice-gateway"),
    )
