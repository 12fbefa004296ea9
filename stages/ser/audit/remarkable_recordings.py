"""What is remarkable about single recordings: another rate, channel count or encoding, clipping, DC, silence."""

import pandas as pd

from ser.corpora.clip_sources import split_source

CLIPPED = 0.001  # share of the samples
DC = 0.01  # of full scale
QUIET_DB = 25.0  # below the level that recordings of the corpus usually have, RMS
SILENCE = 1.0  # s of digital zeros at an end
BAND_LIMITED = 0.6  # of the bandwidth that recordings of the corpus usually have, or the other way round

COLUMNS = ["corpus", "file", "finding", "detail", "done"]


def find_remarkable(recordings: pd.DataFrame, settings) -> pd.DataFrame:
    """List what is remarkable about recordings, beside the reasons why some cannot be used.

    Parameters
    ----------
    recordings : pd.DataFrame
        See `ser.audit.survey.hear_all`.
    settings : ser.settings.prepare_sections.Prepare
        What is done with them.

    Returns
    -------
    pd.DataFrame
        `COLUMNS`, sorted by ``finding`` and ``file``; ``done`` is what became of the recording.
    """
    known = recordings[recordings["encoding"].notna()]
    if known.empty:
        return pd.DataFrame(columns=COLUMNS)
    tables = []
    for finding, remarkable, detail, done in _remarks(known, settings):
        found = known[remarkable]
        done = (found["reason"] == "").map({True: f"used, {done}" if done else "used as it is", False: "left out"})
        columns = (found["corpus"], found["source"], finding, detail[remarkable], done)
        tables.append(pd.DataFrame(dict(zip(COLUMNS, columns, strict=True))))
    return pd.concat(tables).sort_values(["finding", "file"], ignore_index=True)


def _remarks(known: pd.DataFrame, settings) -> list[tuple[str, pd.Series, pd.Series, str]]:
    """Return for each kind of finding which recordings it is true of, the detail of each, and what is done."""
    corpora = known.groupby("corpus")
    usual = {key: corpora[key].transform(_most_common) for key in ("sample_rate", "channels", "encoding")}
    frequent = ", the most frequent is "
    usual_band, usual_level = corpora["bandwidth"].transform(_upper_median), corpora["level_db"].transform("median")
    heard_band = known["bandwidth"].clip(upper=settings.sample_rate / 2)  # more is nothing to a model
    narrower, wider = known["bandwidth"] < BAND_LIMITED * usual_band, usual_band < BAND_LIMITED * heard_band
    cancelling, other_number = known["taken"].notna(), known["channels"] != usual["channels"]
    mono, alone = known["channels"] == 1, known["source"].map(lambda source: split_source(source).channel is not None)
    alone |= isinstance(settings.channels, int)
    taken = ((mono, ""), (~mono & alone, "one channel taken"), (~mono & ~alone, "mixed to one"))
    counts = known["channels"].map("{:.0f}".format) + frequent + usual["channels"].map("{:.0f}".format)
    trimmed = "kept" if settings.trim_db is None else "cut off if quieter than trim_db"
    silence = known[["leading_zeros", "trailing_zeros"]].max(axis=1)
    return [
        (
            "sample rate",
            known["sample_rate"] != usual["sample_rate"],
            known["sample_rate"].map("{:.0f} Hz".format) + frequent + usual["sample_rate"].map("{:.0f} Hz".format),
            f"resampled to {settings.sample_rate} Hz",
        ),
        *(("channels", other_number & ~cancelling & which, counts, done) for which, done in taken),
        (
            "cancelling channels",
            cancelling,
            "channels cancel each other in the mean: channel "
            + known["taken"].astype(float).add(1).map("{:.0f}".format)
            + known["channels"].map(" of {:.0f} is taken".format),
            "one channel taken",
        ),
        ("encoding", known["encoding"] != usual["encoding"], known["encoding"] + frequent + usual["encoding"], ""),
        (
            "bandwidth",
            narrower | wider,
            known["bandwidth"].map("{:.0f} Hz".format)
            + usual_band.map(", half have {:.0f} Hz or ".format)
            + narrower.map({True: "more", False: "less"}),
            "",
        ),
        ("clipping", known["clipped"] > CLIPPED, (100 * known["clipped"]).map("{:.2f} % of the samples".format), ""),
        (
            "DC",
            known["dc"].abs() > DC,
            (100 * known["dc"]).map("{:.1f} % of full scale".format),
            "removed" if settings.remove_dc else "",
        ),
        (
            "level",
            known["level_db"] < usual_level - QUIET_DB,
            known["level_db"].map("{:.0f} dBFS".format) + usual_level.map(", half have {:.0f} dBFS or more".format),
            "",
        ),
        ("silence", silence > SILENCE, silence.map("{:.2f} s of zeros at an end".format), trimmed),
    ]


def _upper_median(values: pd.Series) -> float:
    """Return a median that is one of the values: of two halves the mean would be like neither."""
    return values.quantile(0.5, interpolation="higher")


def _most_common(values: pd.Series) -> object:
    return values.mode().iloc[0]
