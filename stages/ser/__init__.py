"""Speech emotion recognition: the library behind the stage scripts."""
