"""What a service allows: sizes, lengths, times and how much at once, so that no client keeps the others waiting."""

import os
from typing import NamedTuple

MB = 1_000_000


class Limits(NamedTuple):
    """The limits of a service.

    Attributes
    ----------
    upload_bytes : int
        Of a recording.
    timeline_seconds, live_seconds : float
        s that a recording of a timeline, or a live stream, may last. What is predicted as a whole may last as long as
        what the model was trained on.
    workers : int
        Recordings that are worked on at a time.
    waiting : int
        Recordings that wait for a worker; what comes then is refused.
    stored_bytes : int
        Of all uploads that wait or are worked on.
    connections : int
        Open at a time; a further one takes the place of one that has asked for nothing for longest.
    live_streams : int
        At a time.
    header_seconds, stall_seconds, body_seconds : float
        s in which a request's header must have come; that may pass without a byte of its body, or with an answer that
        is not fetched; in which the whole body must have come.
    waiting_seconds, work_seconds : float
        s that a recording waits for a worker, and is worked on.
    idle_seconds : float
        s that a live stream may be silent.
    stopping_seconds : float
        s that are left to what is being worked on when the service is asked to stop.
    """

    upload_bytes: int = 50 * MB
    timeline_seconds: float = 3600.0
    live_seconds: float = 3600.0
    workers: int = os.cpu_count() or 1
    waiting: int = 200
    stored_bytes: int = 2000 * MB
    connections: int = 400
    live_streams: int = 8
    header_seconds: float = 10.0
    stall_seconds: float = 10.0
    body_seconds: float = 300.0
    waiting_seconds: float = 60.0
    work_seconds: float = 600.0
    idle_seconds: float = 30.0
    stopping_seconds: float = 8.0


MESSAGE_BYTES = 1 << 20  # of a live stream: 10 s of samples at 48 kHz
TIMELINE_BYTES = 20 * MB  # of JSON to export: ten hours have a tenth of it
HELD_BYTES = 5 * TIMELINE_BYTES  # of all such JSON at a time: it lies in memory
SLOWEST = 5000  # bytes a s of an upload, after the first seconds: no modem was slower
OVERHEAD_BYTES = 10_000  # of a form, around the recording in it
NAME_CHARACTERS = 255  # of a file; longer than any file system's
MOST_PEAKS = 4000  # of a channel: as many as the widest screens have pixels
