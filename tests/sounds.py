"""What is no speech: silence, noise, hum, and music of several timbres."""

import numpy as np

RATE = 16000
NOISES = ["silence", "white", "pink", "hum", "siren", "clicks"]
MUSIC = ["flute", "strings", "organ", "plucked", "vibrato", "bells", "drums", "drums and strings"]
CHORDS = [(220.0, 277.2, 329.6), (174.6, 220.0, 261.6), (196.0, 246.9, 293.7), (164.8, 207.7, 246.9)]
MELODY = [0, 2, 4, 5, 7, 5, 4, 2, 0, -5, 0, 12]  # semitones


def at_level(y: np.ndarray, db: float) -> np.ndarray:
    """Bring a signal to a root mean square of so many dBFS; silence stays."""
    rms = np.sqrt(np.mean(np.square(y, dtype=np.float64)))
    return np.clip(y * (10 ** (db / 20) / rms), -1.0, 1.0) if rms else y


def noise(kind: str, seconds: float) -> np.ndarray:
    rng, t = np.random.default_rng(0), np.arange(round(seconds * RATE)) / RATE
    white = rng.standard_normal(len(t))
    if kind == "silence":
        return np.zeros(len(t))
    if kind == "white":
        return white
    if kind == "pink":
        return np.fft.irfft(np.fft.rfft(white) / np.sqrt(np.arange(len(t) // 2 + 1) + 1), n=len(t))
    if kind == "hum":
        return sum(np.sin(2 * np.pi * 50 * h * t) / h for h in range(1, 8)) + 0.05 * white
    if kind == "siren":
        return np.sin(2 * np.pi * np.cumsum(700 + 300 * np.sin(np.pi * t)) / RATE)
    return np.where(rng.random(len(t)) < 3e-4, 1.0, 0.0)


def music(timbre: str, seconds: float) -> np.ndarray:
    """Return chords, then a melody, then arpeggios, over and over."""
    if timbre.startswith("drums"):
        y = _drums(seconds)
        return y + 0.3 * at_level(music("strings", seconds), -20) if "strings" in timbre else y
    chords = [sum(_tone(f, 1.0, timbre) for f in chord) for chord in CHORDS]
    melody = [_tone(220 * 2 ** (semitones / 12), 0.4, timbre) for semitones in MELODY]
    arpeggios = [_tone(f, 0.2, timbre) for chord in CHORDS for f in chord]
    once = np.concatenate(chords + melody + arpeggios)
    return np.resize(once, round(seconds * RATE))


def _tone(f: float, seconds: float, timbre: str) -> np.ndarray:
    t = np.arange(round(seconds * RATE)) / RATE
    harmonics = range(1, 1 + min(15, int(7000 / f)))
    phase = 2 * np.pi * f * t
    if timbre == "flute":
        y = np.sin(phase)
    elif timbre == "strings":
        y = sum(np.sin(h * phase) / h for h in harmonics)
    elif timbre == "organ":
        y = sum(np.sin(h * phase) / np.sqrt(h) for h in (1, 2, 3, 4, 6, 8))
    elif timbre == "plucked":
        y = sum(np.sin(h * phase) * np.exp(-3 * h * t) / h for h in harmonics)
    elif timbre == "vibrato":
        bent = 2 * np.pi * np.cumsum(f * (1 + 0.012 * np.sin(2 * np.pi * 5.5 * t))) / RATE
        y = sum(np.sin(h * bent) / h for h in harmonics)
    else:  # bells, by frequency modulation
        y = np.sin(phase + 3 * np.exp(-2 * t) * np.sin(2 * phase))
    return y * np.minimum(1, t / 0.01) * np.minimum(1, (seconds - t) / 0.05)


def _drums(seconds: float) -> np.ndarray:
    rng, beat = np.random.default_rng(0), RATE // 4
    t = np.arange(beat) / RATE
    beats = []
    for number in range(int(seconds * 4)):
        y = 0.3 * np.diff(rng.standard_normal(beat + 1)) * np.exp(-60 * t)
        if number % 4 == 0:
            y = y + np.sin(2 * np.pi * (50 * t + 10 * (1 - np.exp(-30 * t)))) * np.exp(-12 * t)
        if number % 4 == 2:
            y = y + rng.standard_normal(beat) * np.exp(-20 * t)
        beats.append(y)
    return np.concatenate(beats)
