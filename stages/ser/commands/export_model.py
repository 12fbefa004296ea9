"""Write a trained model as one ONNX file, for programs without this library.

The CNN, and an LSTM that reads no pitch, take samples: cleaning and features are inside. Other models take features,
which `ser.load(model).features(recording)` gives in Python; the file's metadata says which, the names of the
emotions, the licences of the corpora, and what of these may bind the file, too.

A model that answers by changed copies of a recording (augment.answers), too, takes the features of these as well, as no
graph can make them: --without-copies answers by the recording alone.
"""

from pathlib import Path

import click

from ser.commands.command_line import help_of
from ser.errors import InputError


@click.command(help=help_of(__doc__))
@click.argument("model", required=False, metavar="[NAME_OR_FOLDER]")
@click.option("--output", type=click.Path(path_type=Path), help="The file.  [default: <model>.onnx]")
@click.option(
    "--audonnx",
    type=click.Path(path_type=Path),
    metavar="FOLDER",
    help="Write a folder that audonnx loads instead: the graph for one clip, a model.yaml and the model's card.",
)
@click.option(
    "--without-copies", is_flag=True, help="Answer by the recording alone where the model answers by copies of it, too."
)
@click.option("--calibrated", is_flag=True, help="With the temperature inside; see `ser predict --calibrated`.")
def command(
    model: str | None, output: Path | None, audonnx: Path | None, without_copies: bool, calibrated: bool
) -> None:
    if output and audonnx:
        raise click.UsageError("--output and --audonnx are two ways to write: name one")
    if output and output.suffix != ".onnx":
        raise click.BadParameter(f"{output}: wanted is .onnx", param_hint="--output")
    from ser.exporting.audonnx_folder import write_folder
    from ser.exporting.model_export import copies_in_words, export, input_in_words
    from ser.graphs.graph_writer import write_model
    from ser.storage.model_cards import inherited_terms, voices_of

    exported = export(model, calibrated=calibrated, one_clip=audonnx is not None, without_copies=without_copies)
    if audonnx:
        write_folder(exported, audonnx)
        print(f"{audonnx}: audonnx.load({str(audonnx)!r})")
    else:
        about = exported.description
        path = output or Path(f"{'_'.join(filter(None, (about['model'], about['fold'])))}.onnx")
        if (path.parent / "model.json").exists():
            raise InputError(f"{path.parent} is a model's own folder: name another for the export")
        write_model(exported.model, path)
        print(f"{path}: {path.stat().st_size / 1e6:.1f} MB, {', '.join(exported.description['classes'])}")
    print(input_in_words(exported.inputs, exported.description["normalization"]))
    if exported.description["copies"]:
        print(f"copies: {copies_in_words(exported.description['copies'], exported.inputs)}")
    corpora = exported.description["learnt_from"]["corpora"]
    if voices_of(corpora):
        print(" ".join(inherited_terms(corpora)))
