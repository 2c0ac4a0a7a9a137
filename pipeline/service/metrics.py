"""What the service counts, for Prometheus to collect."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest

OTHER_PATH = "other"
_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 20.0, 30.0, 60.0)
_SIZES = (1, 2, 4, 8, 16, 32, 64)


class Metrics:
    """Counters of one service; each service has its own registry."""

    media_type = CONTENT_TYPE_LATEST

    def __init__(self, model_id: str) -> None:
        self.registry = CollectorRegistry()
        own = self.registry
        self.requests = Counter(
            *("stance_requests", "Requests answered.", ("path", "status")), registry=own
        )
        self.sentences = Counter(
            *("stance_sentences", "Sentences of requests that were answered."), registry=own
        )
        self.seconds = Histogram(
            *("stance_request_seconds", "Time from the request to its answer.", ("path",)),
            buckets=_SECONDS,
            registry=own,
        )
        self.in_flight = Gauge(
            *("stance_requests_in_flight", "Requests for labels under way."), registry=own
        )
        self.queue = Gauge(
            *("stance_queue_sentences", "Sentences waiting or under way."), registry=own
        )
        self.batch_sentences = Histogram(
            *("stance_batch_sentences", "Sentences a batch."), buckets=_SIZES, registry=own
        )
        self.batch_seconds = Histogram(
            *("stance_batch_seconds", "Time the model takes for a batch."),
            buckets=_SECONDS,
            registry=own,
        )
        model = Gauge(*("stance_model_info", "The model.", ("model_id",)), registry=own)
        model.labels(model_id).set(1)
        ProcessCollector(registry=own)

    def request(self, path: str, status: int, seconds: float) -> None:
        """Count a request; `path` must be one of the few that exist, or `OTHER_PATH`."""
        self.requests.labels(path, str(status)).inc()
        self.seconds.labels(path).observe(seconds)

    def batch(self, sentences: int, seconds: float) -> None:
        """Count a batch that was labelled."""
        self.batch_sentences.observe(sentences)
        self.batch_seconds.observe(seconds)

    def text(self) -> bytes:
        """Return all of it in the text format of Prometheus."""
        return generate_latest(self.registry)
