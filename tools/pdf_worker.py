"""Draw the first pages of a PDF. Run as a program of its own by tools/pages.py, never imported.

Reads the PDF from standard input; writes each page drawn as a PNG, each after its length (four
bytes, the highest first). Its limits are its arguments.
"""

from __future__ import annotations

import io
import resource
import sys

import pypdfium2

MEMORY = 1_000_000_000


def main(most: int, width: int, cpu_s: int) -> None:
    resource.setrlimit(resource.RLIMIT_CPU, (cpu_s, cpu_s))
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    document = pypdfium2.PdfDocument(sys.stdin.buffer.read())
    for number in range(min(most, len(document))):
        drawn = draw(document[number], width)
        write(len(drawn).to_bytes(4, "big") + drawn)


def draw(page: pypdfium2.PdfPage, width: int) -> bytes:
    """Return the page as a PNG of that width, and of at most twice that height."""
    across, down = page.get_size()
    scale = min(width / max(across, 1), 2 * width / max(down, 1))
    file = io.BytesIO()
    page.render(scale=scale).to_pil().convert("RGB").save(file, "PNG", compress_level=6)
    return file.getvalue()


def write(data: bytes) -> None:
    sys.stdout.buffer.write(data)


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
