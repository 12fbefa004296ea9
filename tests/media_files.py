"""Compressed audio as telephones, browsers and messengers write it: made by FFmpeg (PyAV) while a test runs."""

import io
from fractions import Fraction

import av
import numpy as np

SR = 16000
LAYOUTS = {1: "mono", 2: "stereo", 6: "5.1", 8: "7.1", 12: "7.1.4"}


def encoded(
    y: np.ndarray,
    container: str,
    codec: str,
    *,
    sr: int = SR,
    options: dict[str, str] | None = None,
    picture: bool = False,
    codec_options: dict[str, str] | None = None,
    **settings,
) -> bytes:
    """Return the bytes of a file.

    Parameters
    ----------
    y : np.ndarray, shape (samples,) or (samples, channels)
        Full scale 1.
    container, codec : str
        As FFmpeg calls them; no codec: no sound.
    sr : int
        Hz.
    options : dict
        Of the container.
    picture : bool
        Whether a video of a black picture goes along.
    codec_options : dict
    **settings
        Attributes of the codec, such as ``bit_rate``.
    """
    file = io.BytesIO()
    columns = np.atleast_2d(y.T).astype(np.float32)
    with av.open(file, "w", format=container, container_options=options or {}) as output:
        video = output.add_stream("mpeg4", rate=5) if picture else None
        if video:
            video.width, video.height, video.pix_fmt = 64, 48, "yuv420p"
        if codec:
            _add_sound(output, codec, columns, sr, codec_options, settings)
        for number in range(round(5 * columns.shape[1] / sr) if video else 0):
            black = av.VideoFrame.from_ndarray(np.zeros((48, 64, 3), np.uint8), format="rgb24")
            black.pts = number
            output.mux(video.encode(black))
        if video:
            output.mux(video.encode(None))
    return file.getvalue()


def _add_sound(output, codec: str, columns: np.ndarray, sr: int, options: dict | None, settings: dict) -> None:
    stream = output.add_stream(codec, rate=sr, layout=LAYOUTS[len(columns)], options=options)
    for name, value in settings.items():
        setattr(stream, name, value)
    if not columns.shape[1]:
        output.start_encoding()
        return
    interleaved = columns.T.reshape(1, -1)  # PyAV takes no more than seven channels apart
    frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(interleaved), format="flt", layout=stream.layout.name)
    frame.sample_rate, frame.pts, frame.time_base = sr, 0, Fraction(1, sr)
    form = settings.get("format", stream.format)
    resampler = av.AudioResampler(form, stream.layout, sr, stream.codec_context.frame_size or None)
    for part in [*resampler.resample(frame), *resampler.resample(None), None]:
        output.mux(stream.encode(part))
