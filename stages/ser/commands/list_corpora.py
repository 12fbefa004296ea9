"""Print the page on the known corpora; with --write, write it to docs/corpora.md.

Writes  docs/corpora.md; run it again after a change of a module in stages/ser/corpora
"""

from pathlib import Path, PurePosixPath
from types import ModuleType

import click

from ser.commands.command_line import help_of
from ser.corpora.corpus_facts import Download
from ser.corpora.known_corpora import KNOWN
from ser.naming.emotion_words import EMOTIONS
from ser.storage.model_cards import licence_in_words
from ser.storage.whole_files import write_text

DOCUMENT = Path("docs/corpora.md")

TEXT = """# Corpora

<!-- Written by `ser corpora --write`; change the modules in stages/ser/corpora, not this file. -->

The names of the files in these corpora are understood: they state speaker, sex, emotion and whatever else a corpus
puts there, and a name that its scheme cannot have produced is quarantined with the reason. Each corpus has its own
licence and is to be cited when used. The report holds voices of the corpora of its run, and weights may inherit their
terms: [data.md](data.md#licences-and-voices) says where licences are told, and how to leave the voices out
(`report.sounds: false`).

`make corpus NAME=<name>` fetches a corpus that has an address to download it from, and records that in DVC; for the
others (git repositories, pages, forms) it says how to get them and checks what is there. Or put a corpus, as it was
downloaded, at `<raw.path>/<name>` as a folder, or at `<raw.path>/<name>.zip` or `<raw.path>/<name>.tar.gz` as an
archive, and list `<name>` under
`prepare.corpora` in params.yaml. Capitals, hyphens and underscores in the name do not matter (`EMO-DB` is `emodb`),
nor do folders around those shown below. A folder under any other name is read as a corpus of your own: one folder an
emotion, in it the clips or one folder a speaker.

{overview}

Numbers are those of the published audio clips and of the speakers that can be told apart in them. Where the publisher
states size and MD5 of an archive, they are given: `md5sum <archive>` should show the same.

{corpora}
"""

CORPUS = """## {name}

{title}.

- **Files**: {names}
- **Emotions**: {emotions}
- **Example**: `{example}` is {labels}
- **To be had**: <{home}>. {access}
- **Licence**: {licence}
- **Citation**: {citation}"""


def list_corpora(write: bool) -> None:
    if not write:
        print(document())
        return
    write_text(document(), DOCUMENT)
    print(f"{DOCUMENT}: " + ", ".join(f"{name} {module.ABOUT.clips}" for name, module in KNOWN.items()))


def document() -> str:
    """Return the whole text of the document."""
    rows = ["| name | language | clips | speakers | emotions | licence |", "| --- | --- | --- | --- | --- | --- |"]
    for name, module in KNOWN.items():
        about = module.ABOUT
        emotions = len(set(module.EMOTIONS.values()))
        cells = (f"[{name}](#{name})", about.language, f"{about.clips:,}", str(about.speakers), str(emotions))
        rows.append("| " + " | ".join((*cells, about.licence)) + " |")
    corpora = (section(name, module) for name, module in KNOWN.items())
    return TEXT.format(overview="\n".join(rows), corpora="\n\n".join(corpora))


def section(name: str, module: ModuleType) -> str:
    about = module.ABOUT
    example = about.names.split("`")[1]
    labels = module.parse_name(PurePosixPath(example))._asdict()
    if labels["name"] == PurePosixPath(example).stem:
        del labels["name"]
    codes = {emotion: [code for code, meaning in module.EMOTIONS.items() if meaning == emotion] for emotion in EMOTIONS}
    return CORPUS.format(
        name=name,
        title=about.title,
        names=about.names,
        emotions=", ".join(f"{emotion} (`{'`, `'.join(own)}`)" for emotion, own in codes.items() if own),
        example=example,
        labels=", ".join(f"{field} {label}" for field, label in labels.items() if label),
        home=about.home,
        access=" ".join([*(describe(download) for download in about.downloads), about.instructions]).strip(),
        licence=licence_in_words({"licence": about.licence, "synthetic": False}),
        citation=about.citation,
    )


def describe(download: Download) -> str:
    """Return link, size and checksum of an archive."""
    size = f"{download.size:,} bytes" if download.size else "size not stated"
    md5 = f"MD5 `{download.md5}`" if download.md5 else "checksum not stated"
    return f"[{download.file}]({download.url}): {size}, {md5}."


@click.command(help=help_of(__doc__))
@click.option("--write", is_flag=True, help=f"Write {DOCUMENT} instead of printing it.")
def command(write: bool) -> None:
    list_corpora(write)
