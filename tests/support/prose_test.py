"""The tests of tests/prose. The step `prose` of .ci/run runs them."""

import sys
import unittest
from importlib.machinery import SourceFileLoader
from importlib.util import module_from_spec, spec_from_loader
from pathlib import Path
from tempfile import TemporaryDirectory

TESTS = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(TESTS))

from support.prose import Line, paragraphs, sentences, texts  # noqa: E402


def script():
    loader = SourceFileLoader("prose_script", str(TESTS / "prose"))
    module = module_from_spec(spec_from_loader(loader.name, loader))
    loader.exec_module(module)
    return module


SCRIPT = script()


def parsed(name: str, source: str) -> list:
    """The kind, line, text and length of each sentence in a file."""
    with TemporaryDirectory() as folder:
        path = Path(folder, name)
        path.write_text(source)
        return [
            (kind, sentence.number, sentence.text, sentence.length())
            for kind, lines in texts(path)
            for _, paragraph in paragraphs(lines)
            for sentence in sentences(paragraph)
        ]


def split(markdown: str) -> list[str]:
    return [text for _, _, text, _ in parsed("a.md", markdown)]


def measured(markdown: str) -> dict[str, float]:
    prose = SCRIPT.Prose()
    prose.add([Line(number, 0, text) for number, text in enumerate(markdown.split("\n"), 1)])
    return prose.figures()


class Sentences(unittest.TestCase):
    def test_a_full_stop_before_a_capital_ends_a_sentence(self):
        self.assertEqual(split("See RFC 6265. Then\ngo on. "), ["See RFC 6265.", "Then go on."])
        self.assertEqual(split("It fails! `x` does. \"No\"?"), ["It fails!", "`x` does.", '"No"?'])
        self.assertEqual(split("**A.** B (all of it.) C."), ["**A.**", "B (all of it.)", "C."])

    def test_other_full_stops_end_none(self):
        for text in [
            "Redis 7.4.2 or later, e.g. `7.4`, i.e. Valkey 9, cf. `8`.",
            "A range `a..b` or a .. Range of v1.2.",
            "Cookies, headers, etc. `are` kept; see No. 5 of example.org.",
            "Wait ... then go.",
        ]:
            self.assertEqual(split(text), [text])
        self.assertEqual(split("Cookies etc. The rest."), ["Cookies etc.", "The rest."])

    def test_sentences_know_their_lines(self):
        found = parsed("a.md", "One two.\nThree\nfour. Five.\n\n- Six.")
        self.assertEqual([number for _, number, _, _ in found], [1, 2, 3, 5])

    def test_inline_code_links_and_urls_are_words(self):
        for text, words in [
            ("Set `let x = 1. Then;` first.", 3),
            ("All [`Session`s](crate::Session) and [the guide](https://a.b/c(d)).", 5),
            ("See [text][ref], [short] and <https://example.org/a.b>.", 5),
            ("Read https://example.org/. It — that is `` a`b `` — ends.", 7),
            ("![A badge](b.svg) <b>Two words</b> <!-- no <b>. A -->", 2),
        ]:
            self.assertEqual(sum(length for *_, length in parsed("a.md", text)), words, text)

    def test_a_full_stop_behind_a_link_ends_a_sentence(self):
        self.assertEqual(len(split("See [this](a.md). [That](b.md) too.")), 2)


class Markdown(unittest.TestCase):
    def test_blocks_end_sentences(self):
        text = "# Head\nBody\n- first\n  on\n- [ ] next\n1. third\n\n> [!NOTE]\n> quote\n\n---\nend"
        expected = ["Head", "Body", "first on", "next", "third", "quote", "end"]
        self.assertEqual(split(text), expected)

    def test_cells_end_sentences(self):
        text = "| a b | `c | d` |\n| --- | :-: |\n| e\\|f | |"
        self.assertEqual(split(text), ["a b", "`c | d`", "e\\|f"])

    def test_code_blocks_are_left_out(self):
        self.assertEqual(split("One\n```rust\nwhat();\n```\nTwo\n\n    code"), ["One", "Two"])
        self.assertEqual(split("- item\n\n  more\n  ~~~\n  x\n  ~~~"), ["item", "more"])
        self.assertEqual(split("````\n```\nno\n```\nno\n````\nyes"), ["yes"])

    def test_definitions_of_links_are_left_out(self):
        self.assertEqual(split("Text.\n\n[a b]: https://example.org 'Title'"), ["Text."])


class Comments(unittest.TestCase):
    def test_rust(self):
        source = '''//! Of the file.
let url = "https://a.b // no"; // behind code
/// A doc
/// comment. With
///
/// ```
/// code(); // not prose
/// ```
// plain
let raw = r#"
// " in a string
"#; let quote = '"'; let other = '\\''; // last
fn f<'a>(x: &'a str) {} // lifetime
'''
        self.assertEqual(
            [(kind, number, text) for kind, number, text, _ in parsed("a.rs", source)],
            [
                ("docs", 1, "Of the file."),
                ("comments", 2, "behind code"),
                ("docs", 3, "A doc comment."),
                ("docs", 4, "With"),
                ("comments", 9, "plain"),
                ("comments", 12, "last"),
                ("comments", 13, "lifetime"),
            ],
        )

    def test_scripts(self):
        shell = '#!/bin/sh\n# Two\n# lines.\n#\n#   usage\necho "# no" $# ${x#y} # yes\n'
        python = 'def f():\n    """Does.\n\n    More\n    of it.\n    """\n    x = "#"  # why\n'
        for name, source, expected in [
            ("run", shell, ["Two lines.", "yes"]),
            ("a.py", python, ["why", "Does.", "More of it."]),
            ("a.lua", "-- A\n-- b.", ["A b."]),
            ("data", "# no shebang", []),
        ]:
            self.assertEqual([text for _, _, text, _ in parsed(name, source)], expected)


class Figures(unittest.TestCase):
    def test_starts(self):
        for text, share in [
            ("What is stored.", 100),
            ("**Whether** `x` is.", 100),
            ("`what` it is.", 0),
            ("What is stored?", 0),
            ("Often it is.", 0),
            ("Who else", 0),
        ]:
            self.assertEqual(measured(text)["start %"], share, text)

    def test_pronouns(self):
        for text, count in [
            ("It is its own; it's one.", 4),
            ("A key that is old, and that is new, that of a user.", 2),
            ("That is all. This is a one-off item.", 1),
            ("`it` and `that` is code.", 0),
            ("Those who know whom they ask for theirs.", 5),
        ]:
            words = measured(text)["words"]
            self.assertAlmostEqual(measured(text)["pronouns"], 100 * count / words, 2, text)

    def test_you(self):
        self.assertEqual(measured("You and your young ones.")["you"], 40)

    def test_lengths(self):
        figures = measured("A b c.\n\nD e f g.\n\nH i j k l.\n\nErrors")
        self.assertEqual((figures["sentences"], figures["words"]), (3, 13))
        self.assertEqual((figures["median"], figures["95 %"]), (4, 5))

    def test_the_sentence_at_95_percent(self):
        text = "\n\n".join("word " * length for length in range(3, 43))
        self.assertEqual(measured(text)["95 %"], 40)

    def test_columns(self):
        wide = "word " * 20 + "end"
        link = "[text](" + "u" * 99 + ")"
        text = f"{wide}\n{link}\n\n| {wide} |\n\n```\n{wide}\n```"
        self.assertEqual(measured(text)["columns %"], 50)


if __name__ == "__main__":
    unittest.main()
