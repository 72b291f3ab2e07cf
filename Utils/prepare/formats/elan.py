"""ELAN's .eaf files: annotations on tiers, times in milliseconds, one file per video."""

import contextlib
import xml.etree.ElementTree as ElementTree
from urllib.parse import unquote

from Utils.files import UserError, listed
from Utils.prepare.formats.found import BadRow, Found
from Utils.prepare.formats.kept_rows import one_line
from Utils.prepare.formats.times import frame, number_of


class _WithoutDtd(ElementTree.TreeBuilder):
    """Refuses document type definitions, whose entities can grow without end."""

    def doctype(self, name, public, system):
        """Refuse the file."""
        raise UserError("it has a DOCTYPE, which ELAN never writes; save the file again with ELAN")


def parsed(source):
    """The root of an XML file, which states its own encoding."""
    try:
        parser = ElementTree.XMLParser(target=_WithoutDtd(), encoding=source.encoding)
        return ElementTree.fromstring(source.data, parser)
    except UserError as problem:
        raise UserError(f"{source.path}: {problem}") from None
    except (ElementTree.ParseError, ValueError, LookupError) as problem:
        raise UserError(f"{source.path} is not valid XML: {problem}") from None


def read(source, options):
    """The annotations of all tiers, or of those named by --tiers. -> Found."""
    found = Found(source.path, options.skip_bad, subject_word="tiers or participants")
    root = parsed(source)
    media, origin = _media(root, source)
    found.add_media(media)
    tiers = {tier.get("TIER_ID", ""): tier for tier in root.iter("TIER")}
    if unknown := [name for name in options.tiers if name not in tiers]:
        raise UserError(f"{source.path} has no tier {unknown[0]!r}; choose with --tiers "
                        f"of {listed(tiers, 20)}")
    times = Times(root, tiers)
    for name, tier in tiers.items():
        if not options.tiers or name in options.tiers:
            _read_tier(found, tier, name, times, media, origin, bool(options.tiers))
    return found


def _read_tier(found, tier, name, times, media, origin, is_chosen):
    """Read one tier.

    Annotations that refer to others only count if the tier was selected.
    """
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
    """(media file, milliseconds to add to all times) of the first video or else medium."""
    header = root.find("HEADER")
    header = ElementTree.Element("HEADER") if header is None else header
    if (unit := header.get("TIME_UNITS", "milliseconds")) != "milliseconds":
        raise UserError(f"{source.path}: its times are {unit}; save it with a newer "
                        "ELAN, which writes milliseconds")
    media = header.findall("MEDIA_DESCRIPTOR")
    media.sort(key=lambda medium: not medium.get("MIME_TYPE", "").startswith("video/"))
    for medium in media:
        path = medium.get("MEDIA_URL") or unquote(medium.get("RELATIVE_MEDIA_URL", ""))
        try:
            return path or source.stem, frame(medium.get("TIME_ORIGIN", "0"),
                                              "TIME_ORIGIN")
        except BadRow as fault:
            raise UserError(f"{source.path}: {fault}; fix the MEDIA_DESCRIPTOR") from None
    return source.stem, 0


class Times:
    """Start and end of annotations in milliseconds.

    Time slots without a value are spread evenly between those with one in their chain.
    A chain is a run of annotations of one tier, in which each starts with the slot
    that ends the one before.
    """

    def __init__(self, root, tiers):
        self.values = {slot.get("TIME_SLOT_ID"): slot.get("TIME_VALUE")
                       for slot in root.iter("TIME_SLOT") if slot.get("TIME_VALUE") is not None}
        self.by_id = {one.get("ANNOTATION_ID"): one
                      for one in root.iterfind(".//ANNOTATION/*")}
        # A subdivision of a subdivision needs the values of the one above.
        for tier in sorted(tiers.values(), key=lambda tier: _depth(tier, tiers)):
            for chain in _chains(tier, self.values):
                self._spread(chain)

    def _spread(self, chain):
        """Give values to the inner slots of a chain if its first and last have valid ones."""
        with contextlib.suppress(BadRow):
            first, last = self._time(chain[0]), self._time(chain[-1])
            for number, slot in enumerate(chain[1:-1], 1):
                self.values[slot] = first + (last - first) * number / (len(chain) - 1)

    def of(self, annotation):
        """(start, end) of an annotation, or of the one that it refers to, at any depth."""
        seen = set()
        while annotation.tag == "REF_ANNOTATION":
            reference = annotation.get("ANNOTATION_REF")
            if reference in seen or reference not in self.by_id:
                raise BadRow(f"it refers to {reference}, which is not an annotation with a time")
            seen.add(reference)
            annotation = self.by_id[reference]
        return tuple(self._time(annotation.get(f"TIME_SLOT_REF{edge}"))
                     for edge in (1, 2))

    def _time(self, slot):
        value = self.values.get(slot)
        if value is None:
            raise BadRow(f"its time slot {slot} has no time")
        return number_of(value, f"time slot {slot}")


def _depth(tier, tiers):
    """The number of tiers above a tier."""
    above = []
    while (parent := tier.get("PARENT_REF")) in tiers and parent not in above:
        above.append(parent)
        tier = tiers[parent]
    return len(above)


def _chains(tier, values):
    """[[slot, ...]]: the chains of a tier whose inner slots have no value."""
    ends = {one.get("TIME_SLOT_REF1"): one.get("TIME_SLOT_REF2")
            for one in tier.iterfind("ANNOTATION/ALIGNABLE_ANNOTATION")}
    chains = [[slot] for slot in ends if slot in values]
    for chain in chains:
        while chain[-1] in ends and len(chain) <= len(ends):
            chain.append(ends[chain[-1]])
            if chain[-1] in values:
                break
    return [chain for chain in chains if len(chain) > 2]
