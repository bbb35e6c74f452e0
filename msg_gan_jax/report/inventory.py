"""What a data set holds, as text: what --mode=inspect prints."""
from collections.abc import Iterator, Mapping
import textwrap
from typing import Any

import numpy as np

from msg_gan_jax.report import text

_WIDTH = 80
_TIED = '\xa0'  # A space at which no line is broken.
# Notes of data.pictures and of stores that have lines of their own, or repeat
# what stands elsewhere; a test of inspection finds them all in a folder's.
TOLD_ELSEWHERE = (
    'pictures', 'out_of', 'per_class', 'sizes', 'different_sizes', 'widths',
    'heights', 'decisions', 'skipped')


def sections(facts: Mapping[str, Any]) -> Iterator[tuple[str, list[str]]]:
  """Yields (title, lines).

  Args:
    facts: as analysis.dataset.census counts them, with sentences at
      'worth_a_look'.
  """
  notes = facts['notes']
  yield facts['name'], _counts(facts)
  told = {k.replace('_', ' '): text.plain(v) for k, v in notes.items()
          if k not in TOLD_ELSEWHERE}
  if told:
    yield 'source', _columns(told)
  if 'sizes' in notes:
    yield 'originals', _originals(notes)
  if facts['classes']:
    yield _classes(facts['classes']), text.bars(facts['classes'])
  yield 'values', list((_ranges if 'ranges' in facts else _values)(facts))
  if facts['factors']:
    yield 'factors', _columns(
        {k.replace('_', ' '): _factor(v) for k, v in facts['factors'].items()})
  yield 'worth a look', [
      line for sentence in facts['worth_a_look'] or ['nothing']
      for line in _wrapped(sentence)]


def _counts(facts):
  height, width, channels = facts['shape']
  about = [f"{facts['train']:,} to train on, {facts['held_out']:,} held out",
           f'{height:,} high, {width:,} wide, '
           + text.plural(channels, 'channel'), f"digest {facts['digest']}"]
  if facts['looked_at'] < facts['train']:
    whole = facts.get('compared') == facts['train']
    about.append(
        f"looked at {facts['looked_at']:,}, drawn at random; only "
        f"{'classes and copies' if whole else 'classes'} are counted in all")
  if not facts['classes']:
    about.append('no labels')
  return about


def _originals(notes):
  """Sizes, shapes, and what was done to them; held-out pictures included."""
  sizes = dict(notes['sizes'])
  total = notes.get('out_of', notes.get('pictures', 0))
  if total > sum(sizes.values()):
    kinds = notes['different_sizes'] - len(sizes)
    sizes[f'{kinds:,} other sizes'] = total - sum(sizes.values())
  about = text.bars(sizes)
  if notes['different_sizes'] > 1:
    about.append('{:,} to {:,} wide, {:,} to {:,} high; common shapes: '.format(
        *notes['widths'], *notes['heights']) + ', '.join(
        _aspect(size) for size in notes['sizes']))
  for what, count in notes.get('decisions', {}).items():
    about.append(f'{count:,} ({text.percent(count / max(1, total))}) {what}')
  skipped = notes.get('skipped') or []
  about += [f'{len(skipped):,} skipped' + (':' if skipped else '')]
  about += [f'  {name}: {text.short(text.reason(why), 60)}'
            for name, why in skipped[:5]]
  return about + ([f'  ... {len(skipped) - 5:,} more']
                  if len(skipped) > 5 else [])


def _aspect(size):
  width, height = map(int, size.split('x'))
  return f'{width / height:.2f}'


def _classes(classes):
  counts = np.array(list(classes.values()))
  few, many = counts.min(), counts.max()
  title = f'{len(classes):,} classes'
  if few == many:
    return f'{title} of {few:,}'
  ratio = f'{many / few:.3g} times the smallest' if few else 'the smallest: 0'
  return f'{title}, {counts.mean():,.0f} on average; the largest has {ratio}'


def _values(facts):
  """A line a channel, and its histogram from 0 to 255."""
  # The widest name is 'channel 12'.
  wide = max(map(len, facts['channels']))
  yield f"{'':{wide}}   mean    std    at 0  at 255"
  for name, c in facts['channels'].items():
    yield (f"{name:{wide}}  {c['mean']:5.1f}  {c['std']:5.1f}  "
           f"{text.percent(c['at_0']):>6}  {text.percent(c['at_255']):>6}")
  for name, c in facts['channels'].items():
    yield f"{name:{wide}}  {text.spark(c['histogram'])}"
  yield f"{'':{wide}}  0{'255':>63}"


def _ranges(facts):
  for i, (low, high) in enumerate(facts['ranges']):
    yield f'channel {i}  {low:.4g} to {high:.4g}'


def _factor(shares):
  """{value: share}, or a continuous one's {'low', 'high', 'mean'}."""
  if set(shares) == {'low', 'high', 'mean'}:
    return '{low:.3g} to {high:.3g}, {mean:.3g} on average'.format(**shares)
  shown = [f'{name} {text.percent(share)}'.replace(' ', _TIED)
           for name, share in list(shares.items())[:12]]
  return ', '.join(shown + ([f'... {len(shares) - 12:,} more']
                            if len(shares) > 12 else []))


def _columns(texts):
  """Names to the left, texts to the right, as wide as a page."""
  left = max(map(len, texts)) + 2
  return [line for name, words in texts.items()
          for line in _wrapped(words, f'{name:{left}}')]


def _wrapped(sentence, first=''):
  # Two columns belong to the indent of a section.
  wrapped = textwrap.wrap(
      sentence, _WIDTH - 2, initial_indent=first, break_long_words=False,
      subsequent_indent=' ' * (len(first) or 2), break_on_hyphens=False)
  return [line.replace(_TIED, ' ') for line in wrapped]
