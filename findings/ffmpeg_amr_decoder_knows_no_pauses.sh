#!/usr/bin/env bash
# FFmpeg decodes AMR by its own decoder, which fails in every pause; the other decoder of the same wheel knows pauses.
#
# Tried with PyAV 18.1.0. In pauses telephones send comfort noise (DTX: one short frame in eight, empty ones between).
# Six seconds at 8 kHz, noise with 3 s near silence amid it, written by the wheel's libopencore_amrnb with `dtx=1`, so
# 301 packets:
#   av.open(…).decode()                                raises PatchWelcomeError ("Not yet implemented in FFmpeg")
#   packet by packet, FFmpeg's amrnb, errors skipped   3.18 s: the pause is gone, and what follows is that much early
#   packet by packet, libopencore_amrnb                6.02 s, no error
# Without DTX both decode 6.02 s. Guessed was that a build with libopencore uses it, or that its own decoder reads what
# every telephone writes. Exits 0 if all of this is still so, else 1.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check av==18.1.0 numpy

"$folder/venv/bin/python" - <<'PY'
import io

import av
import numpy as np

SR = 8000


def amr(y, dtx):
    file = io.BytesIO()
    with av.open(file, "w", format="amr") as container:
        stream = container.add_stream("libopencore_amrnb", rate=SR, options={"b": "12200", "dtx": str(dtx)})
        codec = stream.codec_context
        codec.layout = "mono"
        codec.open()
        frame = av.AudioFrame.from_ndarray(y.astype(np.float32)[None], format="flt", layout="mono")
        frame.sample_rate = SR
        cut = av.AudioResampler(codec.format, "mono", SR, codec.frame_size)
        for part in [*cut.resample(frame), *cut.resample(None), None]:
            container.mux(stream.encode(part))
    return file.getvalue()


def by(decoder, content):
    codec = av.CodecContext.create(decoder, "r")
    codec.sample_rate, codec.layout = SR, "mono"
    samples = failed = 0
    with av.open(io.BytesIO(content)) as container:
        for packet in container.demux(audio=0):
            try:
                samples += sum(frame.samples for frame in codec.decode(packet if packet.size else None))
            except av.FFmpegError:
                failed += 1
    return samples / SR, failed


def by_default(content):
    try:
        with av.open(io.BytesIO(content)) as container:
            return container.streams.audio[0].codec_context.name, sum(f.samples for f in container.decode(audio=0)) / SR
    except av.FFmpegError as error:
        return type(error).__name__


y = 0.2 * np.random.default_rng(0).standard_normal(6 * SR)
y[2 * SR : 5 * SR] *= 0.0003
seen = {}
for dtx in (0, 1):
    content = amr(y, dtx)
    seen |= {(dtx, decoder): by(decoder, content) for decoder in ("amrnb", "libopencore_amrnb")}
    seen[dtx, "default"] = by_default(content)
expected = {
    (0, "amrnb"): (6.02, 0), (0, "libopencore_amrnb"): (6.02, 0), (0, "default"): ("amrnb", 6.02),
    (1, "amrnb"): (3.18, 142), (1, "libopencore_amrnb"): (6.02, 0), (1, "default"): "PatchWelcomeError",
}
print("FFmpeg", av.ffmpeg_version_info, "; seconds of 6, packets that failed")
for (dtx, decoder), values in seen.items():
    print(f"dtx={dtx}, {decoder}: {values}")
raise SystemExit(seen != expected)
PY
