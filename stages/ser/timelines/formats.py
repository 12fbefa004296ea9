"""The formats that a timeline is written in, by name."""

from collections.abc import Callable
from typing import NamedTuple

from ser.timelines.audacity_labels import write_audacity
from ser.timelines.csv_table import write_csv
from ser.timelines.elan import write_elan
from ser.timelines.json_timeline import as_dict, read_json, write_json
from ser.timelines.rttm import write_rttm
from ser.timelines.segments import Timeline
from ser.timelines.subtitles import write_subrip, write_webvtt
from ser.timelines.textgrid import write_textgrid

__all__ = ["FORMATS", "Format", "as_dict", "read_json"]


class Format(NamedTuple):
    """A way to write a timeline.

    Attributes
    ----------
    suffix : str
        Of its files.
    media_type : str
    write : callable
        From a timeline to the text of a file, which is UTF-8 and keeps its line ends.
    """

    suffix: str
    media_type: str
    write: Callable[[Timeline], str]


FORMATS = {
    "csv": Format(".csv", "text/csv", write_csv),
    "json": Format(".json", "application/json", write_json),
    "rttm": Format(".rttm", "text/plain", write_rttm),
    "vtt": Format(".vtt", "text/vtt", write_webvtt),
    "srt": Format(".srt", "application/x-subrip", write_subrip),
    "audacity": Format(".txt", "text/plain", write_audacity),
    "textgrid": Format(".TextGrid", "text/plain", write_textgrid),
    "eaf": Format(".eaf", "application/xml", write_elan),
}
