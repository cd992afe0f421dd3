r"""La bibliografía y sus citas, en español: «Rumelhart, Hinton y Williams», «En *Actas…*», «5.ª edición»."""

from dataclasses import dataclass, field

import sphinxcontrib.bibtex.plugin
from pybtex.plugin import register_plugin
from pybtex.style.formatting import toplevel
from pybtex.style.formatting.plain import Style as PlainStyle
from pybtex.style.formatting.unsrt import pages
from pybtex.style.template import field as entry
from pybtex.style.template import join, names, optional, optional_field, sentence, tag, words
from sphinxcontrib.bibtex.style.referencing import BracketStyle, PersonStyle
from sphinxcontrib.bibtex.style.referencing.author_year import AuthorYearReferenceStyle


def _persons():
    return PersonStyle(sep2=" y ", last_sep=" y ")


def _brackets():
    return BracketStyle(left="(", right=")")


@dataclass
class SpanishReferences(AuthorYearReferenceStyle):
    r"""Citas de autor y año, unidas con «y» y entre paréntesis."""

    person: PersonStyle = field(default_factory=_persons)
    bracket_parenthetical: BracketStyle = field(default_factory=_brackets)
    bracket_textual: BracketStyle = field(default_factory=_brackets)


class SpanishStyle(PlainStyle):
    r"""Entradas de la bibliografía; los títulos se imprimen como están escritos en ``references.bib``."""

    def format_names(self, role, as_sentence=True):
        r"""Une los nombres con «y»."""
        people = names(role, sep=", ", sep2=" y ", last_sep=" y ")
        return sentence[people] if as_sentence else people

    def format_title(self, e, which_field, as_sentence=True):
        r"""Deja las mayúsculas del título como están."""
        title = entry(which_field)
        return sentence[title] if as_sentence else title

    def format_editor(self, e, as_sentence=True):
        r"""Los editores de un libro sin autor."""
        word = "ed." if len(e.persons.get("editor", ())) == 1 else "eds."
        editors = join(sep=", ")[self.format_names("editor", as_sentence=False), word]
        return sentence[editors] if as_sentence else editors

    def format_edition(self, e):
        r"""El número de edición."""
        return optional[words[entry("edition"), "edición"]]

    def get_inproceedings_template(self, e):
        r"""Un artículo de congreso: «En *Actas*, 1–8. Año»."""
        book = tag("em")[entry("booktitle")]
        return toplevel[
            sentence[self.format_names("author")],
            self.format_title(e, "title"),
            words[
                "En", sentence[book, optional_field("series"), optional_field("volume"), optional[pages], entry("year")]
            ],
            sentence[optional_field("publisher")],
            self.format_web_refs(e),
        ]

    def get_phdthesis_template(self, e):
        r"""Una tesis doctoral."""
        return toplevel[
            sentence[self.format_names("author")],
            self.format_btitle(e, "title"),
            sentence["Tesis doctoral", entry("school"), optional_field("address"), entry("year")],
            self.format_web_refs(e),
        ]


def setup(app):
    r"""Registra los dos estilos con el nombre ``dlbook``."""
    register_plugin("pybtex.style.formatting", "dlbook", SpanishStyle)
    sphinxcontrib.bibtex.plugin.register_plugin(
        "sphinxcontrib.bibtex.style.referencing", "dlbook", SpanishReferences, force=True
    )
