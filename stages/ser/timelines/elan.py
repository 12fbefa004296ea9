"""Timelines as annotation files of ELAN (.eaf).

References
----------
.. [1] H. Sloetjes and P. Wittenburg, "Annotation by category: ELAN and ISO DCR", LREC 2008; EAF 3.0's XML schema.
"""

from pathlib import PurePath
from urllib.parse import quote
from xml.sax.saxutils import escape, quoteattr

from ser.timelines.annotations import MILLISECONDS, annotations, channel_name, encodable, one_line
from ser.timelines.segments import Timeline

DATE = "1970-01-01T00:00:00+00:00"  # the format wants one; so the same timeline is the same file
SCHEMA = "http://www.mpi.nl/tools/elan/EAFv3.0.xsd"
XSI = "http://www.w3.org/2001/XMLSchema-instance"


def write_elan(timeline: Timeline) -> str:
    """Return a timeline as an ELAN document, a tier a channel; it looks for the recording in its own folder."""
    slots: list[str] = []
    tiers: list[str] = []
    for number, channel in enumerate(timeline.channels, start=1):
        tiers.append(f'    <TIER LINGUISTIC_TYPE_REF="emotion" TIER_ID="{channel_name(timeline, number, "emotion")}">')
        for each in annotations(timeline, channel, MILLISECONDS):
            first = len(slots) + 1
            slots += [
                f'        <TIME_SLOT TIME_SLOT_ID="ts{slot}" TIME_VALUE="{time}"/>'
                for slot, time in ((first, each.start), (first + 1, each.end))
            ]
            tiers.append(
                f'        <ANNOTATION><ALIGNABLE_ANNOTATION ANNOTATION_ID="a{(first + 1) // 2}" '
                f'TIME_SLOT_REF1="ts{first}" TIME_SLOT_REF2="ts{first + 1}">'
                f"<ANNOTATION_VALUE>{escape(each.label)}</ANNOTATION_VALUE></ALIGNABLE_ANNOTATION></ANNOTATION>"
            )
        tiers.append("    </TIER>")
    address = quote(encodable(timeline.name))
    kind = "audio/x-wav" if PurePath(timeline.name).suffix.lower() == ".wav" else "audio/*"
    lines = [
        '<?xml version="1.0" encoding="UTF-8"?>',
        f'<ANNOTATION_DOCUMENT AUTHOR={quoteattr(one_line(timeline.model))} DATE="{DATE}" FORMAT="3.0" VERSION="3.0" '
        f'xmlns:xsi="{XSI}" xsi:noNamespaceSchemaLocation="{SCHEMA}">',
        '    <HEADER MEDIA_FILE="" TIME_UNITS="milliseconds">',
        f'        <MEDIA_DESCRIPTOR MEDIA_URL="file:///{address}" MIME_TYPE="{kind}" '
        f'RELATIVE_MEDIA_URL="./{address}"/>',
        "    </HEADER>",
        "    <TIME_ORDER>",
        *slots,
        "    </TIME_ORDER>",
        *tiers,
        '    <LINGUISTIC_TYPE GRAPHIC_REFERENCES="false" LINGUISTIC_TYPE_ID="emotion" TIME_ALIGNABLE="true"/>',
        "</ANNOTATION_DOCUMENT>",
    ]
    return "\n".join(lines) + "\n"
