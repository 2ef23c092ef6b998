"""Finds the sentences in Markdown and in comments, for tests/prose."""

import re
from pathlib import Path
from typing import Iterable, Iterator, NamedTuple

# In masked text, each character of inline code and of a URL is CODE.
CODE, NOTHING = "\x01", "\x00"
WORD = re.compile(rf"\S*[\w{CODE}]\S*")


class Line(NamedTuple):
    """A line of prose, without the marks before it."""

    number: int
    indent: int
    text: str

    def without(self, mark: re.Pattern[str]) -> "Line":
        length = match.end() if (match := mark.match(self.text)) else 0
        return Line(self.number, self.indent + length, self.text[length:])

    def width(self) -> int:
        """The columns in the file, less the targets of links."""
        return self.indent + len(URL.sub("", TARGET.sub("]", self.text)))


class Sentence(NamedTuple):
    number: int
    text: str
    masked: str

    def length(self) -> int:
        return len(WORD.findall(self.masked))


RUST = re.compile(
    r"""(?P<mark>//[/!]?)(?P<text>[^\n]*) | /\*.*?\*/
    | \b[bc]?r(?P<hashes>\#*)".*?"(?P=hashes) | "(?:\\.|[^"\\])*" | '(?:\\.[^'\n]*|[^'\\])' """,
    re.DOTALL | re.VERBOSE,
)
HASHES = re.compile(
    r"""(?P<mark>(?<!\S)\#(?!!))(?P<text>[^\n]*) | (?P<quotes>"{3}|'{3}).*?(?P=quotes)
    | "(?:\\.|[^"\\\n])*" | '[^'\n]*' """,
    re.DOTALL | re.VERBOSE,
)
DASHES = re.compile(r"(?P<mark>--)(?P<text>[^\n]*)")
DOCSTRING = re.compile(r'^(?P<indent>[ ]*)"""(?P<text>.*?)"""', re.DOTALL | re.MULTILINE)
SCRIPTS = dict.fromkeys([".toml", ".sh", ".py", ".yml", ".yaml"], HASHES) | {".lua": DASHES}


def texts(path: Path) -> Iterator[tuple[str, list[Line]]]:
    """Yields the kind and the lines of each text: a Markdown file, or a block of comments."""
    source = path.read_text(errors="replace")
    if path.suffix == ".md":
        yield "markdown", [Line(n, 0, text) for n, text in enumerate(source.splitlines(), 1)]
    elif path.suffix == ".rs":
        for mark, block in comments(source, RUST):
            yield "comments" if mark == "//" else "docs", block
    elif path.suffix in SCRIPTS or (not path.suffix and source.startswith("#!")):
        for _, block in comments(source, SCRIPTS.get(path.suffix, HASHES)):
            yield "scripts", block
        for docstring in DOCSTRING.finditer(source):
            number, indent = number_at(source, docstring.start()), docstring["indent"]
            lines = enumerate(docstring["text"].split("\n"), number)
            yield "scripts", [Line(n, len(indent), text.removeprefix(indent)) for n, text in lines]


def comments(source: str, syntax: re.Pattern[str]) -> Iterator[tuple[str, list[Line]]]:
    """Yields the mark and the lines of each block. A comment behind code is a block of its own."""
    mark, block = "", []
    for comment in syntax.finditer(source):
        if comment["mark"] is None:
            continue
        number = number_at(source, comment.start())
        before = source[source.rfind("\n", 0, comment.start()) + 1 : comment.start()]
        follows = block and block[-1].number == number - 1 and comment["mark"] == mark
        if not follows or before.strip():
            yield mark, block
            mark, block = comment["mark"], []
        block.append(Line(number, len(before + mark), comment["text"]).without(ONE_SPACE))
    yield mark, block


def number_at(source: str, offset: int) -> int:
    return source.count("\n", 0, offset) + 1


# From lines to sentences.

ONE_SPACE = re.compile(" ?")
FENCE = re.compile(r"\s*(`{3,}|~{3,})")
GAP = re.compile(r"\s*(?:[-=*_]{3,}|\[!\w+\]|\[[^\]]+\]:\s.*)?\s*$")
HEADING = re.compile(r"\s{0,3}#{1,6}\s+")
ITEM = re.compile(r"\s*(?:[-*+]|\d{1,2}[.)])\s+(?:\[[ x]\]\s)?")
ROW = re.compile(r"\s*\|")
QUOTE = re.compile(r"(?:\s{0,3}>\s?)?")
CELL = re.compile(r"(?:\\.|(?P<ticks>`+).+?(?P=ticks)|[^|\\])+")


def paragraphs(lines: Iterable[Line]) -> Iterator[tuple[bool, list[Line]]]:
    """Splits Markdown where a sentence has to end. The flag marks the cells of tables."""
    paragraph: list[Line] = []
    for role, line in roles(lines):
        if role != "text":
            yield False, paragraph
            paragraph = []
        if role == "heading":
            yield False, [line.without(HEADING)]
        elif role == "row":
            for cell in CELL.finditer(line.text):
                yield True, [line._replace(text=cell[0].strip())]
        elif role in ("item", "text"):
            paragraph.append(line.without(ITEM) if role == "item" else line)
    yield False, paragraph


def roles(lines: Iterable[Line]) -> Iterator[tuple[str, Line]]:
    """Yields each line as a gap, code, a row, a heading, the start of an item, or further text."""
    fence, role, in_list = "", "gap", False
    for line in lines:
        line = line.without(QUOTE)
        mark = FENCE.match(line.text)
        after_gap = role in ("gap", "code")
        is_indented = line.text.startswith(("  ", "\t"))
        if fence or mark:
            closes = fence and mark and mark[1].startswith(fence)
            fence, role = "" if closes else fence or mark[1], "gap"
        elif is_indented and after_gap and not in_list and line.text.strip():
            role = "code"
        else:
            patterns = {"gap": GAP, "row": ROW, "heading": HEADING, "item": ITEM}
            role = next((r for r, pattern in patterns.items() if pattern.match(line.text)), "text")
        ends_list = role in ("heading", "row") or (role == "text" and after_gap and not is_indented)
        in_list = role == "item" or (in_list and not ends_list)
        yield role, line


INLINE_CODE = re.compile(r"(?P<ticks>`+)(?!`).*?(?<!`)(?P=ticks)(?!`)", re.DOTALL)
IMAGE = re.compile(r"!\[[^\[\]]*(?=\])")
TARGET = re.compile(r"\](?:\([^()\s]*(?:\([^()]*\)[^()\s]*)*(?:\s+\"[^\"]*\")?\)|\[[^\]]*\])")
URL = re.compile(r"<https?://[^>]*>|https?://[^\s)\]>]*[^\s)\]>.,;:!?]")
TAG = re.compile(r"<!--.*?-->|</?[a-zA-Z][^<>]*>|[\[\]]", re.DOTALL)
ABBREVIATION = re.compile(
    r"\b(?i:e\.g|i\.e|cf|vs|resp)\.|\betc\.(?!\s+[A-Z])|\b(?i:no|sec|fig)\.(?=\s\d)"
)
MASKS = {INLINE_CODE: CODE, IMAGE: NOTHING, TARGET: NOTHING, URL: CODE, TAG: NOTHING}
CLOSING, OPENING = rf"[\"')*_”’{NOTHING}]*", rf"[\"'(*_“‘{NOTHING}]*"
END = re.compile(rf"(?<![\s.])[.!?…]{CLOSING}\s+(?={OPENING}[A-Z0-9{CODE}])")


def sentences(paragraph: list[Line]) -> Iterator[Sentence]:
    """Splits a paragraph after full stops, with the number of the line that each begins on."""
    text = "\n".join(line.text.strip() for line in paragraph)
    masked = text
    for pattern, character in (MASKS | {ABBREVIATION: NOTHING}).items():
        masked = pattern.sub(lambda match: character * len(match[0]), masked)
    ends = [match.end() for match in END.finditer(masked)] + [len(text)]
    for start, end in zip([0] + ends, ends):
        if WORD.search(part := masked[start:end].replace(NOTHING, "")):
            number = paragraph[0].number + text.count("\n", 0, start)
            yield Sentence(number, " ".join(text[start:end].split()), part)
