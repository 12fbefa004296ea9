"""`ser demo`: the clips that prepare synthesizes, as files that are the same bytes each time."""

import soundfile

from conftest import workplace
from ser.commands.write_demo import demo
from ser.demo.synthetic_speech import demo_table, synthesize
from ser.settings.all_sections import load_params


def test_the_files_hold_what_prepare_hears_and_no_date(tmp_path, monkeypatch):
    monkeypatch.chdir(workplace(tmp_path / "here"))
    demo(tmp_path / "clips", 1)
    files = sorted((tmp_path / "clips").rglob("*.wav"))
    params = load_params()
    clips = demo_table(params.demo.model_dump())
    clips = clips[clips["speaker"] == clips["speaker"].min()]
    assert len(files) == len(clips)
    for clip in clips.to_dict("records")[::7]:
        file = tmp_path / "clips" / f"{clip['clip']}.wav"
        y, sr = soundfile.read(file, dtype="float32")
        assert sr == params.prepare.sample_rate
        assert (y == synthesize(clip, params.demo.seed, sr).astype("float32")).all()
        # a chunk of libsndfile's, PEAK, states when a file of floats was written
        assert file.read_bytes().count(b"PEAK") == 0
