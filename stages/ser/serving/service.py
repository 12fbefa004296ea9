"""A model in service: the threads that use it, and where uploads are while they do."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

from ser.serving.limits import Limits
from ser.serving.live_streams import LiveStreams
from ser.serving.measurements import Measurements
from ser.serving.uploads import Uploads
from ser.serving.work import Workers

if TYPE_CHECKING:
    from ser.prediction.trained_model import TrainedModel


class Service:
    """A model and the threads that use it.

    Parameters
    ----------
    model : TrainedModel
    limits : Limits
    folder : Path
        For uploads; of this service alone.
    measurements : Measurements
    """

    def __init__(self, model: "TrainedModel", limits: Limits, folder: Path, measurements: Measurements):
        self.model = model
        self.limits = limits
        self.measurements = measurements
        self.name = f"{model.description['trainer']}/{model.description['model']}"
        self.uploads = Uploads(folder, limits)
        times = {"waiting_seconds": limits.waiting_seconds, "work_seconds": limits.work_seconds}
        self.predictions = Workers("ser-predict", workers=limits.workers, waiting=limits.waiting, **times)
        # an hour takes a minute: the short ones do not wait behind it
        self.timelines = Workers("ser-timeline", workers=-(-limits.workers // 2), waiting=limits.waiting, **times)
        self.live = LiveStreams(model, limits, ThreadPoolExecutor(limits.workers, thread_name_prefix="ser-live"))
        self._add_gauges()

    def _add_gauges(self) -> None:
        both = (self.predictions, self.timelines)
        gauge = self.measurements.gauge
        gauge("ser_workers_busy", "Recordings being worked on.", lambda: sum(each.running for each in both))
        gauge("ser_queue_length", "Recordings waiting.", lambda: sum(each.taken - each.running for each in both))
        gauge("ser_stored_bytes", "Bytes of uploads on the disk.", lambda: self.uploads.stored)
        gauge("ser_live_streams", "Live streams.", lambda: self.live.open)

    def close(self) -> None:
        """End all work."""
        self.predictions.close()
        self.timelines.close()
        self.live.close()
