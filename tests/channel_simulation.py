"""Recordings with several channels, made of utterances: calls with a person on each, and one voice heard twice."""

import io
from collections.abc import Callable

import numpy as np
from scipy.signal import fftconvolve, firwin, lfilter

from media_files import encoded
from ser.audio.decoding import decode

SR = 16000
Voice = Callable[[], np.ndarray]  # says something else every time, full scale 1


def db(level: float) -> float:
    return 10 ** (level / 20)


def at_level(y: np.ndarray, level: float) -> np.ndarray:
    """Return speech whose loud parts have a level in dBFS."""
    loud = np.sqrt(np.mean(np.square(y[np.abs(y) > 0.1 * np.abs(y).max()])))
    return (y * db(level) / loud).astype(np.float32)


def noise(rng: np.random.Generator, count: int, level: float) -> np.ndarray:
    """Return noise of dBFS, of a random colour."""
    y = lfilter([1], [1, -rng.uniform(0, 0.97)], rng.standard_normal(count + 1000))[1000:]
    return (y * db(level) / np.sqrt(np.mean(y * y))).astype(np.float32)


def talk(rng: np.random.Generator, voice: Voice, seconds: float, share: float) -> np.ndarray:
    """Return utterances with pauses between them, a share of the time."""
    y = np.zeros(round(seconds * SR), np.float32)
    place = round(rng.uniform(0, 1) * SR)
    while place < len(y):
        said = at_level(voice(), rng.uniform(-3, 3))[: len(y) - place]
        y[place : place + len(said)] = said
        place += len(said) + round(len(said) * (1 - share) / share * rng.uniform(0.5, 1.5))
    return y


def turns(rng: np.random.Generator, voices: list[Voice], seconds: float, overlap: float) -> list[np.ndarray]:
    """Return what each of several people says in turn, in s that they overlap or, negative, pause."""
    tracks = [np.zeros(round(seconds * SR), np.float32) for _ in voices]
    place, who = 0, int(rng.integers(len(voices)))
    while place < len(tracks[0]):
        said = at_level(voices[who](), rng.uniform(-3, 3))
        length = min(len(said), len(tracks[0]) - place)
        tracks[who][place : place + length] += said[:length]
        place = max(place + len(said) // 2, place + len(said) - round(overlap * SR))
        who = (who + 1) % len(voices)
    return tracks


def room(rng: np.random.Generator, y: np.ndarray, reverberation: float, direct_db: float) -> np.ndarray:
    """Return speech at a place of a room: its s of reverberation, and dB of direct sound to reverberant."""
    t = np.arange(round(reverberation * SR)) / SR
    tail = rng.standard_normal(len(t)) * 10 ** (-3 * t / reverberation)
    tail[: round(0.002 * SR)] = 0
    tail *= db(-direct_db) / np.sqrt(np.sum(tail * tail))
    delay = round(rng.uniform(0, 0.006) * SR)
    impulse = np.concatenate([np.zeros(delay), [1], tail])
    return fftconvolve(y, impulse)[: len(y)].astype(np.float32)


def telephone(y: np.ndarray) -> np.ndarray:
    return lfilter(firwin(101, [300, 3400], pass_zero=False, fs=SR), 1, y).astype(np.float32)


def through(y: np.ndarray, container: str, codec: str, **settings) -> np.ndarray:
    """Return what comes out of a codec, shape (samples, channels)."""
    content = encoded(y, container, codec, sr=SR, **settings)
    channels = [decode(io.BytesIO(content), max_seconds=100, channel=place + 1).y for place in range(y.shape[1])]
    return np.stack(channels, axis=1)


def call(rng: np.random.Generator, one: Voice, other: Voice) -> tuple[np.ndarray, str]:
    """Return a call of two people, shape (samples, 2), and what kind of one."""
    seconds = rng.uniform(5, 30)
    kind = rng.choice(["turns", "overlap", "unequal", "together"])
    if kind == "together":
        first, second = (talk(rng, voice, seconds, 0.85) for voice in (one, other))
    elif kind == "unequal":
        first, second = talk(rng, one, seconds, 0.9), np.zeros(round(seconds * SR), np.float32)
        for _ in range(int(rng.integers(1, 4))):
            said = at_level(other(), rng.uniform(-3, 3))
            place = int(rng.integers(0, max(1, len(second) - len(said))))
            second[place : place + len(said)] = said[: len(second) - place]
    else:
        first, second = turns(rng, [one, other], seconds, rng.uniform(-0.5, 0.2) if kind == "turns" else 0.8)
    louder = rng.uniform(-20, 20)
    level = rng.uniform(-35, -20)
    first, second = first * db(level + min(louder, 0)), second * db(level - max(louder, 0))
    crosstalk = rng.uniform(-45, -20)
    floors = rng.uniform(-90, -60, 2) if rng.random() < 0.8 else np.array([-100, -100])
    y = np.stack([first + db(crosstalk) * second, second + db(crosstalk) * first], axis=1)
    if rng.random() < 0.4:
        y = np.stack([telephone(column) for column in y.T], axis=1)
        kind += ", telephone"
    quieter = min(level + min(louder, 0), level - max(louder, 0))
    noises = [noise(rng, len(y), min(floor, quieter - 20)) for floor in floors]
    y = y + np.stack(noises, axis=1)
    kind += f" {seconds:.0f} s, louder {louder:.0f} dB, crosstalk {crosstalk:.0f} dB, floors {floors.round()}"
    return np.clip(y, -1, 1).astype(np.float32), kind


def same(rng: np.random.Generator, voice: Voice, another: Voice) -> tuple[np.ndarray, str]:
    """Return a recording of which all channels have the same speech, and what kind of one."""
    seconds = rng.uniform(2, 30)
    y = talk(rng, voice, seconds, rng.uniform(0.4, 0.95)) * db(rng.uniform(-35, -20))
    if rng.random() < 0.3:
        y += talk(rng, another, seconds, 0.5) * db(rng.uniform(-35, -20))
    kind = str(rng.choice(SAME))
    floor = rng.uniform(-95, -50, 2)
    both = np.stack([y, y], axis=1)
    if kind == "gain":
        both[:, 1] *= db(-rng.uniform(3, 30))
        both += np.stack([noise(rng, len(y), level) for level in floor], axis=1)
    elif kind == "mp3":
        both = through(
            both + noise(rng, len(y), -80)[:, None], "mp3", "libmp3lame", bit_rate=int(rng.choice([32, 48, 64])) * 1000
        )
    elif kind == "opus":
        both = through(
            both + noise(rng, len(y), -80)[:, None], "ogg", "libopus", bit_rate=int(rng.choice([12, 16, 24])) * 1000
        )
    elif kind == "aac":
        both = through(
            both + noise(rng, len(y), -80)[:, None], "mp4", "aac", bit_rate=int(rng.choice([24, 32, 48])) * 1000
        )
    elif kind in ("microphones", "near and far"):
        reverberation = rng.uniform(0.2, 1.2)
        near = (15, 20) if kind == "near and far" else (0, 10)
        first = room(rng, y, reverberation, rng.uniform(*near))
        second = room(rng, y, reverberation, rng.uniform(-8, 6)) * db(-rng.uniform(0, 15))
        both = np.stack([first, second], axis=1)
        both += np.stack([noise(rng, len(y), level) for level in floor], axis=1)
    elif kind == "two in a room":
        reverberation = rng.uniform(0.2, 0.8)
        other = talk(rng, another, seconds, 0.5) * db(rng.uniform(-35, -20))
        balance = rng.uniform(-5, 5, 2)
        both = np.stack(
            [
                room(rng, y, reverberation, 3) * db(side * balance[0] / 2)
                + room(rng, other, reverberation, 3) * db(side * balance[1] / 2)
                for side in (-1, 1)
            ],
            axis=1,
        )
        both += np.stack([noise(rng, len(y), level) for level in floor], axis=1)
    elif kind == "inverted":
        both[:, 1] *= -1
        both += np.stack([noise(rng, len(y), level) for level in floor], axis=1)
    elif kind == "silent":
        both[:, 1] = 0
    elif kind == "dither":
        both[:, 1] = rng.integers(-1, 2, len(y)) / 32768
    elif kind == "noise only":
        both[:, 1] = noise(rng, len(y), floor[1])
        both[:, 0] += noise(rng, len(y), floor[0])
    elif kind == "leaking headset":
        both[:, 1] = db(-rng.uniform(15, 45)) * room(rng, y, 0.4, 0) + noise(rng, len(y), floor[1])
        both[:, 0] += noise(rng, len(y), floor[0])
    elif kind == "gated":
        envelope = np.convolve(np.abs(y), np.ones(800) / 800, "same")
        both[:, 1] *= np.convolve(envelope > db(-rng.uniform(15, 30)) * envelope.max(), np.ones(400) / 400, "same")
    elif kind == "surround":
        beat = 0.5 + 0.5 * np.sign(np.sin(2 * np.pi * rng.uniform(1, 2.5) * np.arange(len(y)) / SR))
        music = beat * noise(rng, len(y), rng.uniform(-45, -25))
        left, right = (music + noise(rng, len(y), -45) for _ in range(2))
        both = np.stack([left, right, y, noise(rng, len(y), -60), 0.3 * left, 0.3 * right], axis=1)
    return np.clip(both, -1, 1).astype(np.float32), f"{kind} {seconds:.0f} s, floors {floor.round()}"


SAME = (
    *("equal", "gain", "mp3", "opus", "aac", "microphones", "near and far", "two in a room", "inverted"),
    *("silent", "dither", "noise only", "leaking headset", "gated", "surround"),
)
