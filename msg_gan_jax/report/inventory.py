"""What a data set holds, as text: what --mode=inspect prints."""
import textwrap

import numpy as np

from msg_gan_jax.report import text as lines

_WIDTH = 80
_TIED = '\xa0'  # A space at which no line is broken.
# Notes that have lines of their own, or repeat what stands elsewhere.
_TOLD = ('pictures', 'out_of', 'per_class', 'sizes', 'different_sizes',
         'widths', 'heights', 'decisions', 'skipped')


def sections(found):
  """Yields (title, [line]).

  Args:
    found: as training.census counts it, with 'worth_a_look', sentences.
  """
  notes = found['notes']
  yield found['name'], _counts(found)
  told = {k.replace('_', ' '): lines.plain(v) for k, v in notes.items()
          if k not in _TOLD}
  if told:
    yield 'source', _columns(told)
  if 'sizes' in notes:
    yield 'originals', _originals(notes)
  if found['classes']:
    yield _classes(found['classes']), lines.bars(found['classes'])
  yield 'values', [*(_ranges if 'ranges' in found else _values)(found)]
  if found['factors']:
    yield 'factors', _columns(
        {k.replace('_', ' '): _factor(v) for k, v in found['factors'].items()})
  yield 'worth a look', [
      line for sentence in found['worth_a_look'] or ['nothing']
      for line in _wrapped(sentence)]


def _counts(found):
  height, width, channels = found['shape']
  about = [f"{found['train']:,} to train on, {found['held_out']:,} held out",
           f'{height:,} high, {width:,} wide, '
           + lines.several(channels, 'channel'), f"digest {found['digest']}"]
  if found['looked_at'] < found['train']:
    whole = found.get('compared') == found['train']
    about.append(
        f"looked at {found['looked_at']:,}, drawn at random; only "
        f"{'classes and copies' if whole else 'classes'} are counted in all")
  if not found['classes']:
    about.append('no labels')
  return about


def _originals(notes):
  """Sizes, shapes, and what was done to them; held-out pictures included."""
  sizes = dict(notes['sizes'])
  total = notes.get('out_of', notes.get('pictures', 0))
  if total > sum(sizes.values()):
    kinds = notes['different_sizes'] - len(sizes)
    sizes[f'{kinds:,} other sizes'] = total - sum(sizes.values())
  about = lines.bars(sizes)
  if notes['different_sizes'] > 1:
    about.append('{:,} to {:,} wide, {:,} to {:,} high; common shapes: '.format(
        *notes['widths'], *notes['heights']) + ', '.join(
        _aspect(size) for size in notes['sizes']))
  for what, count in notes.get('decisions', {}).items():
    about.append(f'{count:,} ({lines.percent(count / max(1, total))}) {what}')
  skipped = notes.get('skipped') or []
  about += [f'{len(skipped):,} skipped' + (':' if skipped else '')]
  about += [f'  {name}: {lines.short(lines.reason(why), 60)}'
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


def _values(found):
  """A line a channel, and its histogram from 0 to 255."""
  # The widest name is 'channel 12'.
  wide = max(map(len, found['channels']))
  yield f"{'':{wide}}   mean    std    at 0  at 255"
  for name, c in found['channels'].items():
    yield (f"{name:{wide}}  {c['mean']:5.1f}  {c['std']:5.1f}  "
           f"{lines.percent(c['at_0']):>6}  {lines.percent(c['at_255']):>6}")
  for name, c in found['channels'].items():
    yield f"{name:{wide}}  {lines.spark(c['histogram'])}"
  yield f"{'':{wide}}  0{'255':>63}"


def _ranges(found):
  for i, (low, high) in enumerate(found['ranges']):
    yield f'channel {i}  {low:.4g} to {high:.4g}'


def _factor(shares):
  """{value: share}, or a continuous one's {'low', 'high', 'mean'}."""
  if set(shares) == {'low', 'high', 'mean'}:
    return '{low:.3g} to {high:.3g}, {mean:.3g} on average'.format(**shares)
  shown = [f'{name} {lines.percent(share)}'.replace(' ', _TIED)
           for name, share in list(shares.items())[:12]]
  return ', '.join(shown + ([f'... {len(shares) - 12:,} more']
                            if len(shares) > 12 else []))


def _columns(texts):
  """Names to the left, texts to the right, as wide as a page."""
  left = max(map(len, texts)) + 2
  return [line for name, text in texts.items()
          for line in _wrapped(text, f'{name:{left}}')]


def _wrapped(text, first=''):
  # Two columns belong to the indent of a section.
  found = textwrap.wrap(
      text, _WIDTH - 2, initial_indent=first, break_long_words=False,
      subsequent_indent=' ' * (len(first) or 2), break_on_hyphens=False)
  return [line.replace(_TIED, ' ') for line in found]
