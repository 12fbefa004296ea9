"""What the section ``extract`` may choose from, as words: known to the features without what validates settings."""

from typing import Literal

DescriptorGroup = Literal[
    "mfcc",
    "mel",
    "chroma",
    "energy",
    "spectral",
    "rolloff",
    "balance",
    "pitch",
    "voice_quality",
    "formants",
    "segments",
    "level",
]
ABSENT_GROUPS = {  # of each set of functionals
    "mean": {*DescriptorGroup.__args__} - {"mfcc", "mel", "chroma", "level"},
    "compact": {"mel", "chroma", "rolloff"},
    "full": {"chroma"},
}
FrameGroup = Literal["mfcc", "mel", "chroma", "energy", "spectral", "rolloff", "balance", "pitch"]
