"""The smallest file that every reader opens as a page of text."""

from collections.abc import Sequence

_WIDTH, _HEIGHT = 595, 842
_LEFT, _TOP, _LEADING = 60, 780, 18


def page(lines: Sequence[str]) -> bytes:
    """A PDF of one A4 page with `lines` of text (Latin-1) from the top; equal lines give equal bytes."""
    text = [f"BT /F1 11 Tf {_LEADING} TL {_LEFT} {_TOP} Td"]
    for line in lines:
        escaped = line.replace("\\", r"\\").replace("(", r"\(").replace(")", r"\)")
        text.append(f"({escaped}) Tj T*")
    stream = "\n".join([*text, "ET"]).encode("latin-1", "replace")
    objects = (
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 %d %d] /Contents 5 0 R "
        b"/Resources << /Font << /F1 4 0 R >> >> >>" % (_WIDTH, _HEIGHT),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>",
        b"<< /Length %d >>\nstream\n%s\nendstream" % (len(stream), stream),
    )
    content = bytearray(b"%PDF-1.4\n%\xe2\xe3\xcf\xd3\n")
    offsets = []
    for number, body in enumerate(objects, start=1):
        offsets.append(len(content))
        content += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    start = len(content)
    content += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    for offset in offsets:
        content += b"%010d 00000 n \n" % offset
    content += b"trailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (len(objects) + 1, start)
    return bytes(content)
