"""What deserves a look in a set, told by its files and classes alone."""
import collections
from collections.abc import Iterator, Mapping
from typing import Any, Protocol

from msg_gan_jax.analysis.dataset.census import per_class
from msg_gan_jax.config import schema
from msg_gan_jax.data import picture_files, tally
from msg_gan_jax.data.source import Source
from msg_gan_jax.report.text import plural


class Look(Protocol):
  """Looks for one kind of trouble; all of them are this project's."""

  def __call__(self, facts: Mapping[str, Any],
               data: schema.Data) -> Iterator[tuple[str, str]]:
    """Yields (the setting that helps, a sentence); nothing if all is well."""


def concerns(source: Source, data: schema.Data) -> list[str]:
  """Sentences that begin with a setting, of what needs no look at pixels.

  Args:
    source: what is trained on.
    data: settings of the data set.
  """
  facts = {'notes': source.notes, 'classes': per_class(source)}
  return [f'{place}: {text}' for look in LOOKS
          for place, text in look(facts, data)]


def dark(facts: Mapping[str, Any],
         data: schema.Data) -> Iterator[tuple[str, str]]:
  """Values that become nearly black or white, or lie outside of the range."""
  deep = facts['notes'].get('more_than_8_bits')
  if deep:
    becomes = _becomes(deep, not data.range)
    if becomes:
      least, largest, bright = (
          deep[name] for name in ('least', 'largest', 'bright'))
      # A hot pixel or two do not say what the rest is meant in.
      nearly_all = tally.is_dark(deep) and bright < largest / 4
      suited, bits = tally.suited_range(
          least, bright if nearly_all else largest)
      most = f', nearly all below {bright:.10g}' if nearly_all else ''
      yield 'config.data.range', (
          f"{data.range!r}{'' if data.range else ', which is 0:65535'}, but "
          f"{plural(deep['pictures'], 'picture')} of more than 8 bits "
          f'hold values from {least:.10g} to {largest:.10g}{most}'
          f"{f' ({bits} bits)' if bits else ''}, and {becomes}; {suited!r} "
          'suits them.')


def without_classes(facts: Mapping[str, Any],
                    data: schema.Data) -> Iterator[tuple[str, str]]:
  """Pictures that lie loose beside folders, which then are no classes."""
  why = facts['notes'].get(picture_files.WITHOUT_CLASSES)
  if why:
    yield label_place(data), (
        f'all are read, and without classes: {why}. For classes, put the loose '
        'ones into folders too, or name a config.data.label_file.')


def numbered_late(facts: Mapping[str, Any],
                  data: schema.Data) -> Iterator[tuple[str, str]]:
  """Labels that do not begin at 0."""
  first = facts['notes'].get('labels_begin_at')
  if first:
    empty = 'class 0 has' if first == 1 else f'classes 0 to {first - 1} have'
    yield label_place(data), (
        f"labels begin at {first}, and classes at 0: {empty} no picture, and "
        f"counts among the {len(facts['classes']):,} classes. Subtract {first} "
        'from every label, or give names in place of numbers.')


def alike(facts: Mapping[str, Any],
          data: schema.Data) -> Iterator[tuple[str, str]]:
  """Classes that differ in case only."""
  groups = collections.defaultdict(list)
  for name in facts['classes']:
    groups[name.casefold()].append(name)
  same = [group for group in groups.values() if len(group) > 1]
  if same:
    shown = '; '.join(' and '.join(
        f"{name!r} ({facts['classes'][name]:,})" for name in group)
        for group in same[:3])
    yield label_place(data), (
        f"{shown}{'; ...' if len(same) > 3 else ''} differ in case only, and "
        'are different classes. If they are one, give them one name.')


def label_place(data: schema.Data) -> str:
  """The setting that says which labels there are."""
  return 'config.data.label_file' if data.label_file else 'config.data.label'


def _becomes(deep, usual):
  """What is wrong with values of more than 8 bits; '' if nothing."""
  if tally.is_dark(deep):
    return 'become nearly black'
  black, span = deep['black'], deep['white'] - deep['black']
  least, largest = ((deep[name] - black) / span for name in (
      'least', 'largest'))
  if least > 1 - tally.NEARLY:
    return 'become nearly white'
  if usual and (least < 0 or largest > 1):  # Who sets a range may want that.
    return 'are cut off ' + (
        'at both ends' if least < 0 and largest > 1 else
        'below 0' if least < 0 else 'above 65535')
  return ''


LOOKS: tuple[Look, ...] = (dark, without_classes, numbered_late, alike)
