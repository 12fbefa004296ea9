#!/usr/bin/env bash
# soundfile takes an estimate for the length of an MP3 file of variable bit rate that does not state its length.
#
# Tried with soundfile 0.14.0 (libsndfile 1.2.2) and PyAV 18.1.0, which writes the files. Ten seconds at 16 kHz by LAME
# with variable bit rate, 2 of one kind and 8 of another (noise, near silence), with the frame that states the count
# (Xing), and without it as streams and cut files have none. FFmpeg decodes 10.08 s of all without it.
#   noise first, no Xing frame:    read() returns 1.58 s, without an error or a warning; so do blocks() and info()
#   silence first, no Xing frame:  info() says 18.61 s, read() returns 10.08, blocks() 18.61: its last block again and
#                                  again, as it counts on the length that was guessed
#   with the Xing frame:           10 s, all of it
# Guessed was that decoding goes on to the end of the file, whatever a header says or leaves out: clips of a corpus lose
# up to five sixths, and nothing tells. Exits 0 if all of this is still so, else 1.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check soundfile==0.14.0 av==18.1.0 numpy

"$folder/venv/bin/python" - 2> "$folder/remarks" <<'PY' || { cat "$folder/remarks"; exit 1; }
import io

import av
import numpy as np
import soundfile

SR, BLOCK = 16000, 4096
QSCALE = 1 << 1  # a flag of FFmpeg: constant quality, variable bit rate


def mp3(y, xing):
    file = io.BytesIO()
    options = {"write_xing": str(int(xing)), "id3v2_version": "0"}
    with av.open(file, "w", format="mp3", options=options) as container:
        stream = container.add_stream("libmp3lame", rate=SR)
        codec = stream.codec_context
        codec.layout, codec.flags, codec.global_quality = "mono", codec.flags | QSCALE, 2 * 118
        codec.open()
        frame = av.AudioFrame.from_ndarray(y.astype(np.float32)[None], format="fltp", layout="mono")
        frame.sample_rate = SR
        cut = av.AudioResampler(codec.format, "mono", SR, codec.frame_size)
        for part in [*cut.resample(frame), *cut.resample(None), None]:
            container.mux(stream.encode(part))
    return file.getvalue()


def seconds(content):
    with soundfile.SoundFile(io.BytesIO(content)) as file:
        blocks = list(file.blocks(BLOCK))
    with av.open(io.BytesIO(content)) as container:
        ffmpeg = sum(frame.samples for frame in container.decode(audio=0))
    counts = soundfile.info(io.BytesIO(content)).frames, len(soundfile.read(io.BytesIO(content))[0])
    same = sum(np.array_equal(block, blocks[-2]) for block in blocks[:-1] if np.ptp(block) > 0.1)
    return (*(round(count / SR, 2) for count in (*counts, sum(map(len, blocks)), ffmpeg)), same)


noise = 0.1 * np.random.default_rng(0).standard_normal(10 * SR)
loud_first, loud_last = noise.copy(), noise.copy()
loud_first[2 * SR :] *= 0.0005
loud_last[: 2 * SR] *= 0.0005
seen = {
    "noise first": seconds(mp3(loud_first, xing=False)),
    "silence first": seconds(mp3(loud_last, xing=False)),
    "noise first, with the count": seconds(mp3(loud_first, xing=True)),
}
print("libsndfile", soundfile.__libsndfile_version__, "; s by info(), read(), blocks(), FFmpeg; equal blocks at the end")
for name, values in seen.items():
    print(f"{name}: {values}")
(short, read, blocks, ffmpeg, _), (long, read_long, blocks_long, _, same), counted = seen.values()
right = short == read == blocks < 2 < ffmpeg == 10.08  # LAME may differ by some bytes from processor to processor
right &= read_long == 10.08 and blocks_long == long > 15 and same > 10 and counted[:4] == (10, 10, 10, 10)
raise SystemExit(not right)
PY
