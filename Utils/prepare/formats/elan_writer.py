"""Detections as .eaf files, the inverse of `elan`."""

import re
import xml.etree.ElementTree as ElementTree
from urllib.parse import quote

from Utils.files import UserError
from Utils.prepare.formats.kept_rows import NO_CLOCK, milliseconds

HEADER = '<?xml version="1.0" encoding="UTF-8"?>\n'
NOT_IN_XML = re.compile("[\0-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
LABEL_TYPE, SCORE_TYPE = "default-lt", "score-lt"
SCORES_OF = "Symbolic_Association"      # one score per annotation


def to_text(video, rows, choices):
    """An .eaf with the detections of one video: a tier per label, and one with its scores.

    ELAN does not allow overlaps within a tier: a detection that overlaps the previous
    one of its tier goes to `label (2)` and so on. rows: sorted by start.
    """
    _refuse_control_characters(video, rows["label"])
    tiers = _tiers(rows)
    root = ElementTree.Element("ANNOTATION_DOCUMENT", {
        "AUTHOR": "VSGN", "DATE": f"{NO_CLOCK}+00:00", "FORMAT": "3.0", "VERSION": "3.0",
        "xmlns:xsi": "http://www.w3.org/2001/XMLSchema-instance",
        "xsi:noNamespaceSchemaLocation": "http://www.mpi.nl/tools/elan/EAFv3.0.xsd"})
    _add_header(root, choices.media_of(video), 2 * len(rows))
    times = ElementTree.SubElement(root, "TIME_ORDER")
    parents = {name: _add_label_tier(root, times, name, tier)
               for name, tier in tiers.items()}
    taken, number = set(tiers), len(rows)
    for name, tier in tiers.items():
        taken.add(scores := _free(f"score {name}", taken))
        _add_score_tier(root, scores, name, tier, parents[name], number)
        number += len(tier)
    _add_types(root)
    return HEADER + _shown(root) + "\n"


def _shown(root):
    """The document as text, one annotation per line, as users of ELAN know it."""
    ElementTree.indent(root, "    ")
    for annotation in root.iter("ANNOTATION"):
        annotation.text = annotation[0].text = annotation[0].tail = annotation[0][0].tail = None
    # ">" is escaped in text and attributes, so these are ends of empty elements.
    return ElementTree.tostring(root, encoding="unicode").replace(" />", "/>")


def _refuse_control_characters(video, labels):
    for text in (video, *labels):
        if NOT_IN_XML.search(text):
            raise UserError(f"video {video!r}: {text!r} has a character that an .eaf "
                            "cannot hold; rename it in the detections, or write csv")


def _tiers(rows):
    """{name of a tier: its rows}, by label; no two rows of a tier overlap."""
    tiers, labels = {}, set(rows["label"])
    for label, of_label in rows.groupby("label", sort=True):
        layers = []
        for row in of_label.itertuples():
            layer = next((layer for layer in layers if _ends(layer[-1]) <= milliseconds(row.start)),
                         None)
            if layer is None:
                layers.append(layer := [])
            layer.append(row)
        for layer in layers:
            tiers[label if label not in tiers else _free(label, labels | set(tiers))] = layer
    return tiers


def _ends(row):
    """The end in milliseconds: at least one after the start, since annotations need a length."""
    return max(milliseconds(row.end), milliseconds(row.start) + 1)


def _free(name, taken):
    """`name`, or the first of `name (2)`, `name (3)` ... that is not taken."""
    number, free = 1, name
    while free in taken:
        number += 1
        free = f"{name} ({number})"
    return free


def _add_header(root, media, last_id):
    header = ElementTree.SubElement(root, "HEADER", MEDIA_FILE="",
                                    TIME_UNITS="milliseconds")
    is_address = re.match(r"\w[\w+.-]+://", media)
    relative = "./" + quote(re.split(r"[/\\]", media)[-1])
    place = (media if is_address else f"file://{quote(media)}" if media.startswith("/") else
             f"file:./{quote(media)}")
    ElementTree.SubElement(header, "MEDIA_DESCRIPTOR", MEDIA_URL=place, MIME_TYPE="video/mp4",
                           RELATIVE_MEDIA_URL=relative)
    ElementTree.SubElement(header, "PROPERTY",
                           NAME="lastUsedAnnotationId").text = str(last_id)


def _add_label_tier(root, times, name, rows):
    """Add a tier with its time slots. -> ids of its annotations."""
    tier = ElementTree.SubElement(root, "TIER", LINGUISTIC_TYPE_REF=LABEL_TYPE,
                                  TIER_ID=name)
    ids = []
    for row in rows:
        slots = [f"ts{len(times) + 1}", f"ts{len(times) + 2}"]
        for slot, time in zip(slots, (milliseconds(row.start), _ends(row)), strict=True):
            ElementTree.SubElement(times, "TIME_SLOT", TIME_SLOT_ID=slot,
                                   TIME_VALUE=str(time))
        ids.append(f"a{len(times) // 2}")
        _add_annotation(tier, "ALIGNABLE_ANNOTATION", row.label, ANNOTATION_ID=ids[-1],
                        TIME_SLOT_REF1=slots[0], TIME_SLOT_REF2=slots[1])
    return ids


def _add_score_tier(root, name, parent, rows, parent_ids, number):
    """Add the scores of the label tier `parent`, numbered from `number` + 1."""
    tier = ElementTree.SubElement(root, "TIER", LINGUISTIC_TYPE_REF=SCORE_TYPE, PARENT_REF=parent,
                                  TIER_ID=name)
    for own, (row, parent_id) in enumerate(zip(rows, parent_ids, strict=True), number + 1):
        _add_annotation(tier, "REF_ANNOTATION", f"{row.score:.3f}", ANNOTATION_ID=f"a{own}",
                        ANNOTATION_REF=parent_id)


def _add_annotation(tier, kind, value, **attributes):
    annotation = ElementTree.SubElement(ElementTree.SubElement(tier, "ANNOTATION"), kind,
                                        attributes)
    ElementTree.SubElement(annotation, "ANNOTATION_VALUE").text = value


def _add_types(root):
    """Add the linguistic types and a constraint of one of them, in the order of EAFv3.0.xsd."""
    ElementTree.SubElement(root, "LINGUISTIC_TYPE", GRAPHIC_REFERENCES="false",
                           LINGUISTIC_TYPE_ID=LABEL_TYPE, TIME_ALIGNABLE="true")
    ElementTree.SubElement(root, "LINGUISTIC_TYPE", CONSTRAINTS=SCORES_OF,
                           GRAPHIC_REFERENCES="false", LINGUISTIC_TYPE_ID=SCORE_TYPE,
                           TIME_ALIGNABLE="false")
    ElementTree.SubElement(root, "CONSTRAINT",
                           DESCRIPTION="1-1 association with a parent annotation",
                           STEREOTYPE=SCORES_OF)
