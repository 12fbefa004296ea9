from pathlib import Path

from ser.storage.kept_folders import kept_folder


def test_a_copy_of_the_repository_in_which_dvc_runs_an_experiment_has_the_same_folder():
    assert kept_folder(Path(".cache/embeddings"), Path("/home/me/ser")) == Path(".cache/embeddings")
    copy = Path("/home/me/ser/.dvc/tmp/exps/standalone/tmp1")
    assert kept_folder(Path(".cache/embeddings"), copy) == Path("/home/me/ser/.cache/embeddings")
