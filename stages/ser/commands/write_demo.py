"""Write clips of the synthetic demo corpus as WAV files, to listen to and to try predict on.

The pipeline does not need them: prepare synthesizes the corpus itself.
"""

from pathlib import Path

import click

from ser.commands.command_line import help_of


def demo(folder: Path, speakers: int | None) -> None:
    # here, as `ser demo --help` needs none of it
    import numpy as np
    from scipy.io import wavfile
    from tqdm import tqdm

    from ser.demo.synthetic_speech import demo_table, synthesize
    from ser.settings.all_sections import params_here
    from ser.storage.clip_tables import speakers_in_words
    from ser.storage.whole_files import written

    params = params_here()
    clips = demo_table(params.demo.model_dump())
    chosen = sorted(clips["speaker"].unique())[:speakers]
    clips = clips[clips["speaker"].isin(chosen)]
    for clip in tqdm(clips.to_dict("records"), desc="demo", unit="clip", disable=None):
        y = synthesize(clip, params.demo.seed, params.prepare.sample_rate)
        # not 16 bits: prepare hears what is synthesized, and what predict says of these files is to be the same; not by
        # libsndfile, which puts the date into files of floats
        with written(folder / f"{clip['clip']}.wav") as temporary:
            wavfile.write(temporary, params.prepare.sample_rate, y.astype(np.float32))
    print(f"{len(clips)} clips of {speakers_in_words(len(chosen))} in {folder / 'demo'}")


@click.command(help=help_of(__doc__))
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--speakers", type=click.IntRange(min=1), help="Write the first so many speakers only.  [default: all]")
def command(folder: Path, speakers: int | None) -> None:
    demo(folder, speakers)
