"""ELAN's .eaf files: annotations on tiers, times in milliseconds, one file per video."""

import contextlib
import re
import xml.etree.ElementTree as ElementTree
from urllib.parse import quote, unquote

from Utils.files import UserError, listed
from Utils.prepare.formats.found import BadRow, Found
from Utils.prepare.formats.kept_rows import NO_CLOCK, milliseconds, one_line
from Utils.prepare.formats.times import frame, number_of

HEADER = '<?xml version="1.0" encoding="UTF-8"?>\n'
NOT_IN_XML = re.compile("[\0-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
LABEL_TYPE, SCORE_TYPE = "default-lt", "score-lt"
SCORES_OF = "Symbolic_Association"      # one score per annotation


class _WithoutDtd(ElementTree.TreeBuilder):
    """Refuses document type definitions, whose entities can grow without end."""

    def doctype(self, name, public, system):
        raise UserError("it has a DOCTYPE, which ELAN never writes; save the file again with ELAN")


def parsed(source):
    """The root of an XML file, which says its own encoding."""
    try:
        parser = ElementTree.XMLParser(target=_WithoutDtd(), encoding=source.encoding)
        return ElementTree.fromstring(source.data, parser)
    except UserError as problem:
        raise UserError(f"{source.path}: {problem}") from None
    except (ElementTree.ParseError, ValueError, LookupError) as problem:
        raise UserError(f"{source.path} is not valid XML: {problem}") from None


def read(source, options):
    """The annotations of all tiers, or of those of --tiers. -> Found."""
    found = Found(source.path, options.skip_bad, subject_word="tiers or participants")
    root = parsed(source)
    media, origin = _media(root, source)
    found.add_media(media)
    tiers = {tier.get("TIER_ID", ""): tier for tier in root.iter("TIER")}
    if unknown := [name for name in options.tiers if name not in tiers]:
        raise UserError(f"{source.path} has no tier {unknown[0]!r}; choose with --tiers of "
                        f"{listed(tiers, 20)}")
    times = Times(root, tiers)
    for name, tier in tiers.items():
        if not options.tiers or name in options.tiers:
            _read_tier(found, tier, name, times, media, origin, bool(options.tiers))
    return found


def _read_tier(found, tier, name, times, media, origin, is_chosen):
    """One tier. Annotations that refer to others count only where the tier was chosen."""
    for number, annotation in enumerate(tier.iterfind("ANNOTATION/*"), 1):
        if annotation.tag == "REF_ANNOTATION" and not is_chosen:
            found.left_out["annotations of reference tiers"] += 1
            continue
        label = one_line(annotation.findtext("ANNOTATION_VALUE") or "")
        if not label:
            found.left_out["empty annotations"] += 1
            continue
        with found.row(f"annotation {number} of tier {name}"):
            start, end = times.of(annotation)
            found.add(media, (start + origin) / 1000, (end + origin) / 1000, label,
                      tier.get("PARTICIPANT") or name)


def _media(root, source):
    """(media file, milliseconds to add to all times): of the first video, else the first medium."""
    header = root.find("HEADER")
    header = ElementTree.Element("HEADER") if header is None else header
    if (unit := header.get("TIME_UNITS", "milliseconds")) != "milliseconds":
        raise UserError(f"{source.path}: its times are {unit}; save it with a newer ELAN, which "
                        "writes milliseconds")
    media = header.findall("MEDIA_DESCRIPTOR")
    media.sort(key=lambda medium: not medium.get("MIME_TYPE", "").startswith("video/"))
    for medium in media:
        path = medium.get("MEDIA_URL") or unquote(medium.get("RELATIVE_MEDIA_URL", ""))
        try:
            return path or source.stem, frame(medium.get("TIME_ORIGIN", "0"), "TIME_ORIGIN")
        except BadRow as fault:
            raise UserError(f"{source.path}: {fault}; mend the MEDIA_DESCRIPTOR") from None
    return source.stem, 0


class Times:
    """Start and end of annotations in milliseconds.

    Time slots without a value lie evenly between the valued ones of their chain: annotations of
    one tier, each of which starts with the slot that ends the one before.
    """

    def __init__(self, root, tiers):
        self.values = {slot.get("TIME_SLOT_ID"): slot.get("TIME_VALUE")
                       for slot in root.iter("TIME_SLOT") if slot.get("TIME_VALUE") is not None}
        self.by_id = {one.get("ANNOTATION_ID"): one for one in root.iterfind(".//ANNOTATION/*")}
        # A subdivision of a subdivision needs the values of the one above.
        for tier in sorted(tiers.values(), key=lambda tier: _depth(tier, tiers)):
            for chain in _chains(tier, self.values):
                self._spread(chain)

    def _spread(self, chain):
        """Give values to the inner slots of a chain, if its first and last have good ones."""
        with contextlib.suppress(BadRow):
            first, last = self._time(chain[0]), self._time(chain[-1])
            for number, slot in enumerate(chain[1:-1], 1):
                self.values[slot] = first + (last - first) * number / (len(chain) - 1)

    def of(self, annotation):
        """(start, end) of an annotation, or of the one that it refers to, through any depth."""
        seen = set()
        while annotation.tag == "REF_ANNOTATION":
            reference = annotation.get("ANNOTATION_REF")
            if reference in seen or reference not in self.by_id:
                raise BadRow(f"it refers to {reference}, which is no annotation with a time")
            seen.add(reference)
            annotation = self.by_id[reference]
        return tuple(self._time(annotation.get(f"TIME_SLOT_REF{edge}")) for edge in (1, 2))

    def _time(self, slot):
        value = self.values.get(slot)
        if value is None:
            raise BadRow(f"its time slot {slot} has no time")
        return number_of(value, f"time slot {slot}")


def _depth(tier, tiers):
    """How many tiers stand above a tier."""
    above = []
    while (parent := tier.get("PARENT_REF")) in tiers and parent not in above:
        above.append(parent)
        tier = tiers[parent]
    return len(above)


def _chains(tier, values):
    """[[slot, ...]]: chains of a tier whose inner slots have no value."""
    ends = {one.get("TIME_SLOT_REF1"): one.get("TIME_SLOT_REF2")
            for one in tier.iterfind("ANNOTATION/ALIGNABLE_ANNOTATION")}
    chains = [[slot] for slot in ends if slot in values]
    for chain in chains:
        while chain[-1] in ends and len(chain) <= len(ends):
            chain.append(ends[chain[-1]])
            if chain[-1] in values:
                break
    return [chain for chain in chains if len(chain) > 2]


def to_text(video, rows, choices):
    """An .eaf of one video's detections: a tier per label, and one with its scores.

    Tiers of ELAN hold no overlaps: a detection that overlaps the last one of its tier goes to
    `label (2)` and so on. rows: sorted by start.
    """
    _refuse_control_letters(video, rows["label"])
    tiers = _tiers(rows)
    root = ElementTree.Element("ANNOTATION_DOCUMENT", {
        "AUTHOR": "VSGN", "DATE": f"{NO_CLOCK}+00:00", "FORMAT": "3.0", "VERSION": "3.0",
        "xmlns:xsi": "http://www.w3.org/2001/XMLSchema-instance",
        "xsi:noNamespaceSchemaLocation": "http://www.mpi.nl/tools/elan/EAFv3.0.xsd"})
    _add_header(root, choices.media_of(video), 2 * len(rows))
    times = ElementTree.SubElement(root, "TIME_ORDER")
    parents = {name: _add_label_tier(root, times, name, tier) for name, tier in tiers.items()}
    taken, number = set(tiers), len(rows)
    for name, tier in tiers.items():
        taken.add(scores := _free(f"score {name}", taken))
        _add_score_tier(root, scores, name, tier, parents[name], number)
        number += len(tier)
    _add_types(root)
    return HEADER + _shown(root) + "\n"


def _shown(root):
    """The document as text, an annotation per line, as ELAN's users know it."""
    ElementTree.indent(root, "    ")
    for annotation in root.iter("ANNOTATION"):
        annotation.text = annotation[0].text = annotation[0].tail = annotation[0][0].tail = None
    # ">" in text and attributes is escaped, so that these are the ends of empty elements.
    return ElementTree.tostring(root, encoding="unicode").replace(" />", "/>")


def _refuse_control_letters(video, labels):
    for text in (video, *labels):
        if NOT_IN_XML.search(text):
            raise UserError(f"video {video!r}: {text!r} has a letter that ELAN's files cannot "
                            "hold; rename it in the detections, or write csv")


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
    """The end in milliseconds, at least one after the start, since an annotation has a length."""
    return max(milliseconds(row.end), milliseconds(row.start) + 1)


def _free(name, taken):
    """`name`, or the first of `name (2)`, `name (3)` ... that is not taken."""
    number, free = 1, name
    while free in taken:
        number += 1
        free = f"{name} ({number})"
    return free


def _add_header(root, media, last_id):
    header = ElementTree.SubElement(root, "HEADER", MEDIA_FILE="", TIME_UNITS="milliseconds")
    is_address = re.match(r"\w[\w+.-]+://", media)
    relative = "./" + quote(re.split(r"[/\\]", media)[-1])
    place = (media if is_address else f"file://{quote(media)}" if media.startswith("/") else
             f"file:./{quote(media)}")
    ElementTree.SubElement(header, "MEDIA_DESCRIPTOR", MEDIA_URL=place, MIME_TYPE="video/mp4",
                           RELATIVE_MEDIA_URL=relative)
    ElementTree.SubElement(header, "PROPERTY", NAME="lastUsedAnnotationId").text = str(last_id)


def _add_label_tier(root, times, name, rows):
    """A tier with its time slots. -> ids of its annotations."""
    tier = ElementTree.SubElement(root, "TIER", LINGUISTIC_TYPE_REF=LABEL_TYPE, TIER_ID=name)
    ids = []
    for row in rows:
        slots = [f"ts{len(times) + 1}", f"ts{len(times) + 2}"]
        for slot, time in zip(slots, (milliseconds(row.start), _ends(row)), strict=True):
            ElementTree.SubElement(times, "TIME_SLOT", TIME_SLOT_ID=slot, TIME_VALUE=str(time))
        ids.append(f"a{len(times) // 2}")
        _add_annotation(tier, "ALIGNABLE_ANNOTATION", row.label, ANNOTATION_ID=ids[-1],
                        TIME_SLOT_REF1=slots[0], TIME_SLOT_REF2=slots[1])
    return ids


def _add_score_tier(root, name, parent, rows, parent_ids, number):
    """The scores of the label tier `parent`, numbered from `number` + 1."""
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
    """The linguistic types, and the constraint of one of them, as EAFv3.0.xsd orders them."""
    ElementTree.SubElement(root, "LINGUISTIC_TYPE", GRAPHIC_REFERENCES="false",
                           LINGUISTIC_TYPE_ID=LABEL_TYPE, TIME_ALIGNABLE="true")
    ElementTree.SubElement(root, "LINGUISTIC_TYPE", CONSTRAINTS=SCORES_OF,
                           GRAPHIC_REFERENCES="false", LINGUISTIC_TYPE_ID=SCORE_TYPE,
                           TIME_ALIGNABLE="false")
    ElementTree.SubElement(root, "CONSTRAINT",
                           DESCRIPTION="1-1 association with a parent annotation",
                           STEREOTYPE=SCORES_OF)
