"""What `/metrics` tells, in Prometheus's format."""

from collections.abc import Callable

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

SECONDS = (0.005, 0.01, 0.02, 0.03, 0.06, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)


class Metrics:
    """The numbers of one server.

    Attributes:
        requests: answered, by route and status.
        errors: refused, by their code.
        read: characters of prompts.
        written: characters that were sent.
        first: seconds from a request to the first character that is sent.
    """

    def __init__(self, active: Callable[[], float], waiting: Callable[[], float]) -> None:
        """Begin to count; `active` and `waiting` tell the number of texts."""
        self._registry = CollectorRegistry()
        self.requests = Counter("textgen_requests", "Requests answered.", ["route", "status"], registry=self._registry)
        self.errors = Counter("textgen_errors", "Requests refused.", ["code"], registry=self._registry)
        self.read = Counter("textgen_characters_read", "Characters of prompts.", registry=self._registry)
        self.written = Counter("textgen_characters_written", "Characters written.", registry=self._registry)
        self.first = Histogram(
            "textgen_first_character_seconds",
            "Seconds from a request to its first character.",
            buckets=SECONDS,
            registry=self._registry,
        )
        for name, told, summary in (
            ("textgen_streams_active", active, "Texts being written."),
            ("textgen_streams_waiting", waiting, "Texts that wait for a place."),
        ):
            Gauge(name, summary, registry=self._registry).set_function(told)

    def shown(self) -> bytes:
        """All numbers, as Prometheus reads them."""
        return generate_latest(self._registry)
