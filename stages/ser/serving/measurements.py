"""What a service counts of itself, in the text format of Prometheus; no word of a client's gets into it."""

from collections import Counter, defaultdict
from collections.abc import Callable

BUCKETS = (0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0, 100.0)  # s


class Measurements:
    """Requests by route and status and how long they took; and gauges, which are asked when somebody looks."""

    def __init__(self) -> None:
        self._requests: Counter[tuple[str, int]] = Counter()
        self._within: Counter[tuple[str, float]] = Counter()
        self._seconds: defaultdict[str, float] = defaultdict(float)
        self._gauges: list[tuple[str, str, Callable[[], float]]] = []

    def gauge(self, name: str, about: str, value: Callable[[], float]) -> None:
        """Add a number that goes up and down."""
        self._gauges.append((name, about, value))

    def count(self, route: str, status: int, seconds: float) -> None:
        """Count a request that was answered.

        Parameters
        ----------
        route : str
            As it is declared, not as it was asked for.
        status : int
            Of HTTP; 499 if the client hung up.
        seconds : float
            s.
        """
        self._requests[route, status] += 1
        self._seconds[route] += seconds
        for most in BUCKETS:
            self._within[route, most] += seconds <= most

    def text(self) -> str:
        """Return all as lines."""
        lines = ["# HELP ser_requests_total Requests by route and status.", "# TYPE ser_requests_total counter"]
        lines += [
            f'ser_requests_total{{route="{route}",status="{status}"}} {count}'
            for (route, status), count in sorted(self._requests.items())
        ]
        name = "ser_request_seconds"
        lines += [f"# HELP {name} Seconds from the header to the end of the answer.", f"# TYPE {name} histogram"]
        counts: Counter[str] = Counter()
        for (route, _), count in self._requests.items():
            counts[route] += count
        for route, count in sorted(counts.items()):
            lines += [f'{name}_bucket{{route="{route}",le="{most}"}} {self._within[route, most]}' for most in BUCKETS]
            lines.append(f'{name}_bucket{{route="{route}",le="+Inf"}} {count}')
            lines.append(f'{name}_sum{{route="{route}"}} {self._seconds[route]:.6f}')
            lines.append(f'{name}_count{{route="{route}"}} {count}')
        for name, about, value in self._gauges:
            lines += [f"# HELP {name} {about}", f"# TYPE {name} gauge", f"{name} {value():g}"]
        return "\n".join(lines) + "\n"
