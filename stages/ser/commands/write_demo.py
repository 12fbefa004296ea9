"""Write clips of the synthetic demo corpus as WAV files, to listen to and to try predict on.

The pipeline does not need them: prepare synthesizes the corpus itself.
"""

import argparse
from pathlib import Path

import soundfile

from ser.demo.synthetic_speech import demo_table, synthesize
from ser.errors import stage_errors
from ser.settings.all_sections import load_params


def demo(folder: Path, speakers: int | None) -> None:
    params = load_params()
    clips = demo_table(params.demo.model_dump())
    chosen = sorted(clips["speaker"].unique())[:speakers]
    clips = clips[clips["speaker"].isin(chosen)]
    for clip in clips.to_dict("records"):
        path = folder / f"{clip['clip']}.wav"
        path.parent.mkdir(parents=True, exist_ok=True)
        y = synthesize(clip, params.demo.seed, params.prepare.sample_rate)
        # not 16 bits: prepare hears what is synthesized, and what predict says of these files is to be the same
        soundfile.write(path, y, params.prepare.sample_rate, subtype="FLOAT")
    print(f"{len(clips)} clips of {len(chosen)} speakers in {folder / 'demo'}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="where to write them, such as ../clips")
    parser.add_argument("--speakers", type=int, help="write the first so many speakers only (default: all)")
    arguments = parser.parse_args()
    with stage_errors():
        demo(arguments.folder, arguments.speakers)
