#!/usr/bin/env bash
# soundfile reads the first link of a chained Ogg file, and says neither that there are more nor that it stopped.
#
# Tried with soundfile 0.14.0 (libsndfile 1.2.2) and PyAV 18.1.0. RFC 3533 lets Ogg files follow one another in one
# file: web radio does it at each title, recorders where they were paused, `cat` where parts were put together. Links of
# 3 s and 7 s at 16 kHz, each written by soundfile:
#   Vorbis:  info() and read() say 3 s, FFmpeg decodes 10 s and one frame
#   Opus:    info() and read() say 3 s, FFmpeg decodes 10 s
# Guessed was that the whole is read, as it is of FLAC, MP3 and WAV by the same call, or that an error is raised.
# Exits 0 if all of this is still so, else 1.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check soundfile==0.14.0 av==18.1.0 numpy

"$folder/venv/bin/python" - <<'PY'
import io

import av
import numpy as np
import soundfile

SR = 16000
noise = 0.1 * np.random.default_rng(0).standard_normal(10 * SR)


def ogg(y, codec):
    file = io.BytesIO()
    soundfile.write(file, y, SR, format="OGG", subtype=codec)
    return file.getvalue()


def seconds(content):
    y, rate = soundfile.read(io.BytesIO(content))
    with av.open(io.BytesIO(content)) as container:
        ffmpeg = sum(frame.samples / frame.sample_rate for frame in container.decode(audio=0))
    return soundfile.info(io.BytesIO(content)).duration, len(y) / rate, round(ffmpeg, 3)


seen = {codec: seconds(ogg(noise[: 3 * SR], codec) + ogg(noise[3 * SR :], codec)) for codec in ("VORBIS", "OPUS")}
print("libsndfile", soundfile.__libsndfile_version__, "; seconds of 10 by info(), read(), FFmpeg")
for codec, values in seen.items():
    print(f"{codec}: {values}")
raise SystemExit(seen != {"VORBIS": (3.0, 3.0, 10.016), "OPUS": (3.0, 3.0, 10.0)})
PY
