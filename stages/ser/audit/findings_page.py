"""What the data audit shows: its page, one self-contained HTML file."""

from pathlib import Path

import jinja2
import pandas as pd

from ser.audit.cue_words import CUE, LEAK, found_in, leaking_level, told_by, verdict_of
from ser.audit.page_style import page_style
from ser.storage.clip_tables import speakers_in_words
from ser.storage.whole_files import written

TEMPLATE = Path(__file__).with_name("findings_page.html")
LONGEST_TABLE = 500  # rows of a table on the page; the CSV beside it holds all
COLOURS = ("blue", "vermilion", "green", "purple", "orange", "sky")  # of the style sheet
PROPERTIES = (  # of a recording: key, caption, divisor, decimals
    ("seconds", "Length, s", 1, 2),
    ("level_db", "Mean level, dBFS (0 is full scale)", 1, 1),
    ("bandwidth", "Bandwidth, kHz", 1000, 1),
)
REACH = (0.05, 0.25, 0.5, 0.75, 0.95)  # quantiles that are shown


def write_page(
    path: Path | str,
    *,
    title: str,
    summary: dict,
    clips: pd.DataFrame,
    tables: dict[str, pd.DataFrame],
    kinds: dict[str, int],
) -> None:
    """Write the page.

    Parameters
    ----------
    path : Path
    title : str
    summary : dict
        What `ser.audit.quarantine_tables.summarize` returns.
    clips : pd.DataFrame
        The clips that are used, with the properties of their recordings.
    tables : dict of str to pd.DataFrame
        ``cues``, ``findings``, ``quarantine`` and ``counts``.
    kinds : dict of str to int
        How many files are left out for a reason of each kind.
    """
    environment = jinja2.Environment(autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True)
    told = told_by(tables["cues"])
    sexes, shares = clips_by_sex(clips)
    page = environment.from_string(TEMPLATE.read_text(encoding="utf-8")).render(
        title=title,
        page_style=page_style(),
        summary=summary,
        corpora=sorted(clips["corpus"].unique()),
        speakers_in_words=speakers_in_words(clips["speaker"]),
        verdict=verdict_of(tables["cues"]),
        found=found_in(tables["cues"]),
        told_all=told,
        tested=any(one.p is not None for one in told),
        limits=(CUE, LEAK),
        level_warning=leaking_level(tables["cues"]),
        kinds=kinds,
        quarantine=tables["quarantine"][["file", "corpus", "reason"]],
        findings=tables["findings"],
        sexes=sexes,
        shares=shares,
        colours=COLOURS,
        speakers=clips_of_speakers(clips),
        properties=[reach_of(clips, *known) for known in PROPERTIES] if len(clips) else [],
        longest=LONGEST_TABLE,
        is_number=pd.api.types.is_numeric_dtype,
    )
    with written(path) as temporary:
        temporary.write_text(page, encoding="utf-8")


def clips_of_speakers(clips: pd.DataFrame) -> pd.DataFrame:
    """Count the clips of each speaker (rows) in each emotion (columns)."""
    clips = clips.assign(**{column: clips[column].replace("", "unknown") for column in ("speaker", "sex")})
    return clips.pivot_table(
        index=["speaker", "corpus", "sex"], columns="emotion", values="clip", aggfunc="count", fill_value=0
    ).reset_index()


def clips_by_sex(clips: pd.DataFrame) -> tuple[list[str], list[tuple[str, list[int], list[float]]]]:
    """Count the clips of each emotion by sex.

    Returns
    -------
    list of str
        The sexes.
    list of tuple
        Of each emotion its name, its clips by sex and their shares of the clips of the most frequent emotion, percent.
    """
    counts = pd.crosstab(clips["emotion"], clips["sex"].replace("", "unknown"))
    widths = 100 * counts / max(counts.sum(axis=1).max(), 1) if len(counts) else counts
    rows = zip(counts.index, counts.to_numpy().tolist(), widths.to_numpy().tolist(), strict=True)
    return [*counts.columns], [*rows]


def reach_of(clips: pd.DataFrame, key: str, caption: str, divisor: float, decimals: int) -> dict:
    """Return where the clips of each emotion lie in a property, in percent of the range of all that is shown.

    ``at`` of a row holds start and width of what nine of ten clips have, of what half of them have, and the median.
    """
    quantiles = (clips.groupby("emotion")[key].quantile(REACH) / divisor).unstack()
    low, high = quantiles.to_numpy().min(), quantiles.to_numpy().max()
    rows = []
    for emotion, values in quantiles.iterrows():
        p5, p25, p50, p75, p95 = (100 * (values - low) / (high - low if high > low else 1.0)).tolist()
        at = [f"{value:.1f}" for value in (p5, p95 - p5, p25, p75 - p25, p50)]
        rows.append({"emotion": emotion, "median": _decimal(values[0.5], decimals), "at": at})
    return {"caption": caption, "low": _decimal(low, decimals), "high": _decimal(high, decimals), "rows": rows}


def _decimal(value: float, decimals: int) -> str:
    """Return a number with a true minus sign."""
    return f"{value:.{decimals}f}".replace("-", "−")
