"""XMP packets as photo programs write them, and photos that hold them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from xml.sax.saxutils import escape

NAMESPACES = {
    "dc": "http://purl.org/dc/elements/1.1/",
    "lr": "http://ns.adobe.com/lightroom/1.0/",
    "digiKam": "http://www.digikam.org/ns/1.0/",
    "MicrosoftPhoto": "http://ns.microsoft.com/photo/1.0/",
}
HEAD = b"http://ns.adobe.com/xap/1.0/\x00"


def packet(*subject: str, more: str = "", **fields: Iterable[str]) -> bytes:
    """A packet with these keywords in ``dc:subject``, and in others by name: ``lr_hierarchicalSubject``."""
    lists = "".join(
        _list(name.replace("_", ":"), words)
        for name, words in {"dc_subject": subject, **fields}.items()
        if words
    )
    spaces = " ".join(f'xmlns:{name}="{address}"' for name, address in NAMESPACES.items())
    return (
        '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?><x:xmpmeta xmlns:x="adobe:ns:meta/">'
        '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
        f'<rdf:Description rdf:about="" {spaces}>{lists}{more}</rdf:Description>'
        '</rdf:RDF></x:xmpmeta><?xpacket end="w"?>'
    ).encode()


def photo_with(photo: bytes, xmp: bytes) -> bytes:
    """A JPEG that holds a packet."""
    body = HEAD + xmp
    return photo[:2] + b"\xff\xe1" + (len(body) + 2).to_bytes(2, "big") + body + photo[2:]


def _list(name: str, words: Sequence[str] | Iterable[str]) -> str:
    items = "".join(f"<rdf:li>{escape(one)}</rdf:li>" for one in words)
    return f"<{name}><rdf:Bag>{items}</rdf:Bag></{name}>"
