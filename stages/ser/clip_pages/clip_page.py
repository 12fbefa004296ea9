"""The page of a clip: one self-contained HTML file, the same bytes from run to run."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import jinja2
import numpy as np
from markupsafe import Markup

from ser.audio.recordings import Recording
from ser.audit.page_style import page_style
from ser.clip_pages.drawn_tracks import (
    DYNAMIC_RANGE_DB,
    HEIGHT,
    WIDTH,
    across,
    areas,
    dots,
    f0_scale,
    level_scale,
    line,
    named_runs,
    runs,
    scale,
    spectrogram_image,
    time_marks,
)
from ser.clip_pages.model_answers import ModelAnswers, emotions_of, in_short, unfamiliar_to
from ser.clip_pages.sound_tracks import FORMANTS, SoundTracks
from ser.prediction.asked_timeline import Windows
from ser.reporting.sound_sources import sound, waveform
from ser.storage.whole_files import written

HERE = Path(__file__).parent
OURS = b'<meta name="generator" content="ser show">'  # by which a page of ours is known
COLUMNS = 1000  # of the waveform
OWN_COLOURS = ("anger", "sadness", "disgust", "fear", "happiness", "surprise", "neutral", "calm", "boredom")
LIKE = {"joy": "happiness", "happy": "happiness", "angry": "anger", "sad": "sadness", "fearful": "fear"}


class Shown(NamedTuple):
    """What a page is of.

    Attributes
    ----------
    name : str
        Of the file, without its folder.
    recording : Recording
        What the file holds.
    tracks : SoundTracks
    answers : list of ModelAnswers
    windows : Windows
    remarks : list of str
        What else is to be said, such as why there is no answer of a model.
    """

    name: str
    recording: Recording
    tracks: SoundTracks
    answers: list[ModelAnswers]
    windows: Windows
    remarks: list[str]


def is_ours(path: Path) -> bool:
    """Whether a file is a page that `write_page` has written."""
    with path.open("rb") as file:
        return OURS in file.read(1000)


def write_page(path: Path | str, shown: Shown, *, with_sound: bool = True) -> None:
    """Write the page.

    Parameters
    ----------
    path : Path
    shown : Shown
    with_sound : bool
        Whether the clip can be listened to on it.
    """
    environment = jinja2.Environment(
        autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters["decimal"] = decimal
    tracks, emotions = shown.tracks, emotions_of(shown.answers)
    page = environment.from_string((HERE / "clip_page.html").read_text(encoding="utf-8")).render(
        ours=Markup(OURS.decode()),
        page_style=page_style(),
        own_style=Markup((HERE / "clip_page.css").read_text(encoding="utf-8").strip()),
        script=Markup((HERE / "clip_page.js").read_text(encoding="utf-8").strip()),
        name=printable(shown.name),
        facts=facts(shown),
        remarks=shown.remarks,
        unfamiliar=unfamiliar_to(shown.answers),
        synthetic=[answer.name for answer in shown.answers if answer.synthetic],
        answers=shown.answers,
        models=[drawn(answer, tracks) for answer in shown.answers],
        emotions=emotions,
        colours=colour_names(emotions),
        pictures=pictures(tracks),
        marks=time_marks(tracks.start, tracks.seconds),
        numbers=numbers(shown),
        sound=sound(tracks.clip.y, tracks.clip.sr) if with_sound else None,
        windows=shown.windows,
        tracks=tracks,
        box=(WIDTH, HEIGHT),
        range=DYNAMIC_RANGE_DB,
    )
    with written(path) as temporary:
        temporary.write_text(page, encoding="utf-8", newline="\n")


def printable(name: str) -> str:
    """Return a file's name as UTF-8 can hold it, on one line."""
    return " ".join(name.encode(errors="replace").decode().split())


def decimal(value: float, digits: int = 0) -> str:
    """Return a number with a true minus sign, a dash for what is none."""
    return f"{value:.{digits}f}".replace("-", "−") if np.isfinite(value) else "–"


def facts(shown: Shown) -> list[tuple[str, str]]:
    """Return what a table says of the clip: names and values."""
    recording, tracks = shown.recording, shown.tracks
    y, clip = recording.y, tracks.clip
    length = len(y) / recording.sample_rate
    f0 = tracks.f0[tracks.f0 > 0]
    channels = "1 channel" if recording.channels == 1 else f"{recording.channels} channels"
    after = max(length - tracks.start - tracks.seconds, 0.0)
    found = [
        ("File", f"{recording.encoding}, {recording.sample_rate:,} Hz, {channels}, {length:.2f} s"),
        ("Sound", f"{tracks.seconds:.2f} s; {tracks.start:.2f} s before and {after:.2f} s after it are cut off"),
        ("Level", f"peak {decimal(peak_db(y), 1)} dBFS, loudness {decimal(tracks.loudness, 1)} LUFS"),
    ]
    if len(f0):
        low, middle, high = np.quantile(f0, (0.05, 0.5, 0.95))
        found += [
            ("F0", f"median {middle:.0f} Hz, nine of ten frames {low:.0f} to {high:.0f} Hz"),
            ("Voiced", f"{100 * len(f0) / len(tracks.f0):.0f} % of {len(tracks.f0)} frames, one each "
             f"{1000 * clip.hop_length / clip.sr:g} ms"),
        ]  # fmt: skip
    else:
        found += [("F0", "no frame is voiced")]
    return found


def peak_db(y: np.ndarray) -> float:
    """Return the level of the loudest sample, dBFS."""
    return float(20 * np.log10(np.abs(y).max()))


def pictures(tracks: SoundTracks) -> dict:
    """Return what is drawn of the sound."""
    x = across(tracks)
    f0, level = f0_scale(tracks.f0), level_scale(tracks.level)
    hertz = scale(0, tracks.clip.sr / 2, range(0, 200_000, 2000), unit=1000)
    voiced = tracks.f0 > 0
    step = float(WIDTH * tracks.clip.hop_length / len(tracks.clip.y))
    return {
        "waveform": waveform(tracks.clip.y, COLUMNS),
        "columns": COLUMNS,
        "spectrogram": spectrogram_image(tracks.clip),
        "left": round(-step / 2, 2),  # the first frame is centred on the first sample
        "width": round(len(x) * step, 2),
        "hertz": hertz,
        "formants": {name: dots(x, hertz.places(values), values > 0) for name, values in tracks.formants.items()},
        "f0": line(x, f0.places(tracks.f0), voiced),
        "f0_scale": f0,
        "voiced": runs(voiced, x),
        "level": line(x, level.places(tracks.level), np.ones(len(x), dtype=bool)),
        "level_scale": level,
    }


def drawn(answer: ModelAnswers, tracks: SoundTracks) -> dict:
    """Return what is drawn of a model's answers over time."""
    return {"areas": areas(answer.parts, tracks, answer.emotions), "runs": named_runs(answer.parts, tracks)}


def numbers(shown: Shown) -> dict:
    """Return what the page's script says at the cursor."""
    tracks = shown.tracks
    rounded = {name: np.round(values.astype(float)).astype(int).tolist() for name, values in tracks.formants.items()}
    return {
        "start": round(tracks.start, 4),
        "seconds": round(tracks.seconds, 4),
        "hop": tracks.clip.hop_length / tracks.clip.sr,
        "f0": np.round(tracks.f0.astype(float), 1).tolist(),
        **{name: rounded[name] for name in FORMANTS},
        "level": np.round(tracks.level.astype(float), 1).tolist(),
        "models": [
            [
                {
                    "start": round(part.start, 4),
                    "end": round(part.end, 4),
                    "p": None if part.probabilities is None else np.round(part.probabilities.astype(float), 3).tolist(),
                    "unfamiliar": in_short(part.unfamiliar),
                }
                for part in answer.parts
            ]
            for answer in shown.answers
        ],
    }


def colour_names(emotions: Sequence[str]) -> dict[str, str]:
    """Return the colour of the style sheet for each emotion, as on the page of `ser serve`."""
    names = {emotion: emotion if emotion in OWN_COLOURS else LIKE.get(emotion, "") for emotion in emotions}
    left = [colour for colour in ("other", *OWN_COLOURS) if colour not in names.values()]
    return {emotion: name or (left.pop(0) if left else "other") for emotion, name in names.items()}
