"""A page of one run or of many: sections of values -> one HTML file.

Whatever a user can name (runs, classes, paths, warnings) is text: Jinja2
escapes all of it. The one thing that it does not are charts, which are drawn
here and escape their words themselves.
"""
from collections.abc import Mapping, Sequence
import functools
import re
from typing import Any, NamedTuple

from msg_gan_jax.files.console import visible
from msg_gan_jax.report import charts, tables
from msg_gan_jax.report.tables import Table

LONGEST = 2_000  # Characters of one name or message.


class Text(NamedTuple):
  """A paragraph."""
  text: str
  kind: str = 'text'


class Items(NamedTuple):
  """A list of sentences."""
  items: Sequence[str]
  kind: str = 'items'


class Code(NamedTuple):
  """Lines to be copied, such as a command."""
  text: str
  kind: str = 'code'


class Grid(NamedTuple):
  """A table of values. The last column may have sentences."""
  table: Table
  kind: str = 'table'


class Picture(NamedTuple):
  """A picture, and what it shows."""
  uri: str
  caption: str
  kind: str = 'picture'


class Frame(NamedTuple):
  """A picture of a run at a moment.

  Attributes:
    uri: see thumbnails.uri.
    at: {unit: how much of it the run had cost}.
  """
  uri: str
  at: Mapping[str, float]


class Films(NamedTuple):
  """Pictures of several runs through time, moved together by a slider.

  Attributes:
    runs: {name: [Frame], the oldest first}.
  """
  runs: Mapping[str, Sequence[Frame]]
  kind: str = 'films'


class Chart(NamedTuple):
  """Curves of one or a few values.

  Attributes:
    title: what they are.
    names: {name of a line: its place, see charts.key}.
    drawn: {unit: <svg>, see charts.chart}.
    note: a sentence below it.
  """
  title: str
  names: Mapping[str, int]
  drawn: Mapping[str, str]
  note: str = ''


class Charts(NamedTuple):
  """Charts beside each other."""
  charts: Sequence[Chart]
  kind: str = 'charts'


class Card(NamedTuple):
  """A run in a list.

  Attributes:
    name: of the run.
    href: where its page is; '' if there is none.
    picture: address of one, or ''.
    text: what it is.
    state: a word, such as 'running'.
    share: of its way, 0 .. 1; None where that is not known.
    progress: the same in words.
  """
  name: str
  href: str
  picture: str
  text: str
  state: str
  share: float | None
  progress: str


class Cards(NamedTuple):
  """A list of runs, of which some can be chosen.

  Attributes:
    cards: the runs.
    action: where those that are chosen go, as values of 'run'.
    hidden: {name: value} that go there with them.
  """
  cards: Sequence[Card]
  action: str
  hidden: Mapping[str, str]
  kind: str = 'cards'


Block = Text | Items | Code | Grid | Picture | Films | Charts | Cards


class Section(NamedTuple):
  """A part of a page, with a heading."""
  heading: str
  blocks: Sequence[Block]


class Page(NamedTuple):
  """What a page says.

  Attributes:
    title: of the page.
    about: sentences below it.
    units: {name: in words} of what curves and films go over; the first is
      chosen at first.
    sections: in their order; those without a block are left out.
    foot: a line at the end.
    live: seconds after which the page asks for itself anew; 0 never does.
    home: (address, in words) of the page that this one belongs to, if any.
  """
  title: str
  about: Sequence[str]
  units: Mapping[str, str]
  sections: Sequence[Section]
  foot: str = ''
  live: float = 0.
  home: tuple[str, str] | None = None


def render(content: Page) -> str:
  """The whole file, which needs no other one and no network.

  One that is live asks for nothing but itself, and pictures beside it.

  Args:
    content: what it says.
  """
  sections = [x for x in content.sections if x.blocks]
  return _environment().get_template('page.html').render(
      page=content, sections=sections)


def framed(text: str, title: str, height: int) -> str:
  """A page as a part of another one, such as a notebook, which it cannot reach.

  Args:
    text: of `render`.
    title: of the frame.
    height: of it, in CSS pixels.

  Returns:
    One element of HTML.
  """
  return _environment().get_template('frame.html').render(
      text=text, title=title, height=height)


@functools.cache
def _environment():
  import jinja2
  environment = jinja2.Environment(
      loader=jinja2.PackageLoader('msg_gan_jax.report'), autoescape=True,
      undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True)
  environment.filters |= {'shown': shown, 'slug': slug, 'cell': cell}
  environment.globals |= {'key': charts.key, 'is_number': tables.is_number}
  return environment


def shown(text: Any) -> str:
  """A text as a page shows it: no control characters, and not without end."""
  text = visible(str(text))
  return text if len(text) <= LONGEST else text[:LONGEST - 1] + '…'


def slug(text: str) -> str:
  """A name for links within the page."""
  return re.sub(r'\W+', '-', text.lower()).strip('-')


def cell(value: tables.Cell, digits: int) -> str:
  """A cell of a table as text."""
  return tables.write(value, digits, shown, tables.with_minus)
