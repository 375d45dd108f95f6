"""Numbers for whoever watches the server, in the text format of Prometheus; none of them is about one visitor."""

from collections.abc import Iterator
from typing import Any

from prometheus_client.core import CollectorRegistry, CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.exposition import generate_latest
from prometheus_client.process_collector import ProcessCollector


class _Places:
    """Reads the numbers of a kernel manager when it is asked."""

    def __init__(self, manager: Any) -> None:
        self._manager = manager

    def collect(self) -> Iterator[Metric]:
        manager = self._manager
        yield GaugeMetricFamily("workbench_places", "visitors at once, at most", manager.places)
        yield GaugeMetricFamily("workbench_places_taken", "visitors now", manager.taken)
        yield CounterMetricFamily("workbench_visits", "pages that were given a place", manager.visits)
        yield CounterMetricFamily("workbench_turned_away", "pages for which there was no place", manager.turned_away)
        ended = CounterMetricFamily("workbench_ended", "places that fell free, by why", labels=["why"])
        for why, number in manager.ended.items():
            ended.add_metric([why], number)
        yield ended


def exposition(manager: Any) -> bytes:
    """All numbers as one page."""
    registry = CollectorRegistry()
    registry.register(_Places(manager))  # type: ignore[arg-type]
    ProcessCollector(registry=registry)
    return generate_latest(registry)
