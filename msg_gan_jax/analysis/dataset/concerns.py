"""What deserves a look before one trains, each with the setting that helps."""
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from msg_gan_jax.analysis.dataset import at_once
from msg_gan_jax.analysis.dataset.at_once import Look, label_place
from msg_gan_jax.config import schema
from msg_gan_jax.data import held_out, tally
from msg_gan_jax.data.sources import DRAWN
from msg_gan_jax.report.text import percent, plural, reason

FEW_IN_CLASS = 10
FEW = 1_000
# Shares of the pictures from which on they are a concern.
UPSCALED, PADDED, CUT_OFF, SKIPPED = .1, .25, .25, .01


def concerns(facts: Mapping[str, Any], data: schema.Data) -> list[str]:
  """Sentences that begin with a setting, as errors do; the gravest first.

  Args:
    facts: see `census.Census`.
    data: settings of the data set.
  """
  return [f'{place}: {text}' for look in CONCERNS
          for place, text in look(facts, data)]


def leaked(facts: Mapping[str, Any],
           data: schema.Data) -> Iterator[tuple[str, str]]:
  """Held-out pictures that are trained on too."""
  leaks = facts.get('leaks', {'count': 0})
  if leaks['count']:
    held_out, trained = leaks['examples'][0]
    least, among = _part(facts, 'compared')
    yield 'config.data.held_out', (
        f"training sees {least}{leaks['count']:,} of {facts['held_out']:,} "
        f"held-out pictures too{among} (held-out "
        f"{_called(held_out, facts, 'held_out')} = {_called(trained, facts)}), "
        'so that scores against them are too good. '
        f'{_one_of_each(data)}')


def copied(facts: Mapping[str, Any],
           data: schema.Data) -> Iterator[tuple[str, str]]:
  """Exact copies."""
  same = facts.get('copies', {'count': 0})
  if not same['count']:
    return
  least, among = _part(facts, 'compared')
  share = '' if least else f" ({percent(same['count'] / facts['train'])})"
  groups = '; '.join(' = '.join(_called(i, facts) for i in group)
                     for group in same['examples'])
  in_two = same['in_two_classes']
  yield _place(data), (
      f"{least}{plural(same['count'], 'exact copy', 'exact copies')}{share} "
      f'of other pictures{among}: numbers {groups}. The most frequent is '
      f"there {least}{same['largest']:,} times"
      + (f', and {in_two:,} under several labels' if in_two else '')
      + f'. G learns to repeat them. {_one_of_each(data)}')


def flat(facts: Mapping[str, Any],
         data: schema.Data) -> Iterator[tuple[str, str]]:
  """Pictures of one colour."""
  flat_ones = facts.get('one_colour', {'count': 0})
  if flat_ones['count']:
    least, among = _part(facts, 'looked_at')
    yield _place(data), (
        f"{least}{plural(flat_ones['count'], 'picture')} of one colour{among}: "
        f"number {', '.join(_called(i, facts) for i in flat_ones['examples'])}"
        + (', ...' if flat_ones['count'] > len(flat_ones['examples']) else '')
        + '. ' + _without(data, 'the files', 'the others',
                          'Raise config.data.resolution.'))


def dim(facts: Mapping[str, Any],
        data: schema.Data) -> Iterator[tuple[str, str]]:
  """Pictures that are nearly black, where no range mends it."""
  if 'channels' not in facts or any(at_once.dark(facts, data)):
    return
  top = max(_bright_end(channel['histogram']) for name, channel
            in facts['channels'].items() if name != 'alpha')
  if top < tally.NEARLY * 255:
    yield _place(data), (
        f'hardly a value is above {top} of 255: nearly black. Of 16 bits in '
        'colour only the upper 8 are read: if files hold 10 or 12, write them '
        'anew with 8.')


def skipped(facts: Mapping[str, Any],
            data: schema.Data) -> Iterator[tuple[str, str]]:
  """Broken files that were skipped."""
  bad = facts['notes'].get('skipped') or []
  if len(bad) > SKIPPED * facts['train']:
    yield 'config.data.on_bad', (
        f"{plural(len(bad), 'broken file')} skipped, the first "
        f"{bad[0][0]!r} ({reason(bad[0][1])}); 'error' stops at it.")


def upscaled(facts: Mapping[str, Any],
             data: schema.Data) -> Iterator[tuple[str, str]]:
  """Originals that are smaller than the resolution."""
  count = _decided(facts, 'scaled up')
  share = count / _originals(facts)
  if share > UPSCALED:
    yield 'config.data.resolution', (
        f"{'most' if share > .5 else 'many'} originals are smaller: "
        f'{count:,} ({percent(share)}) were scaled up to '
        f"{facts['shape'][1]}x{facts['shape'][0]}, which adds blur and no "
        f'detail.{_size_that_fits(facts, data)}')


def reshaped(facts: Mapping[str, Any],
             data: schema.Data) -> Iterator[tuple[str, str]]:
  """Pictures with bars, stretched, or much cropped."""
  padded, cropped = _decided(facts, 'padded'), _decided(facts, 'cropped')
  stretched = _decided(facts, 'stretched')
  if padded > PADDED * _originals(facts):
    yield 'config.data.resize', (
        f"{plural(padded, 'picture')} got bars, which G must learn too; "
        "'center_crop' has none.")
  if stretched > PADDED * _originals(facts):
    yield 'config.data.resize', (
        f"{plural(stretched, 'picture')} stretched; 'center_crop' and 'pad' "
        'keep the proportions.')
  lost = _cut_off(facts)
  if cropped and lost > CUT_OFF:
    yield 'config.data.resize', (
        f"'center_crop' cuts off {percent(lost)} of a picture on average; "
        "'pad' keeps it whole, config.data.width gives another shape.")


def colourless(facts: Mapping[str, Any],
               data: schema.Data) -> Iterator[tuple[str, str]]:
  """Grey pictures in colour."""
  colour = facts.get('colour')
  if not colour:
    return
  if colour['grey_pictures'] == facts['looked_at']:
    yield 'config.data.channels', (
        f'{data.channels}, but every picture is grey; 1 is as good, and '
        'cheaper.')
  elif colour['nearly_grey_pictures'] == facts['looked_at']:
    yield 'config.data.channels', (
        f"{data.channels}, but every picture is nearly grey: red, green and "
        f"blue differ by {colour['mean_spread']:.1f} of 255 on average; 1 "
        'would do.')
  elif colour['grey_pictures'] > facts['looked_at'] / 10:
    yield 'config.data.channels', (
        f"{plural(colour['grey_pictures'], 'grey picture')} "
        f"({percent(colour['grey_pictures'] / facts['looked_at'])}) among "
        'coloured ones; with 1 all would be grey.')


def see_through(facts: Mapping[str, Any],
                data: schema.Data) -> Iterator[tuple[str, str]]:
  """Alpha that is dropped, or that says nothing."""
  dropped = _decided(facts, 'alpha laid on white')
  if dropped:
    yield 'config.data.channels', (
        f"{data.channels}, and the alpha of {plural(dropped, 'picture')} was "
        'laid on white; 4 keeps it.')
  if facts.get('opaque'):
    yield 'config.data.channels', '4, but alpha is 255 everywhere; 3 is enough.'


def small_classes(facts: Mapping[str, Any],
                  data: schema.Data) -> Iterator[tuple[str, str]]:
  """Classes of few pictures."""
  small = {name: count for name, count in facts['classes'].items()
           if count < FEW_IN_CLASS}
  if small:
    first = ', '.join(f'{k} ({v})' for k, v in list(small.items())[:3])
    yield label_place(data), (
        f"{len(facts['classes']):,} classes, {len(small):,} of them with "
        f'under {FEW_IN_CLASS} pictures, such as {first}: a conditional GAN '
        'learns those by heart. Join classes, or take other labels.')


def not_held_out(facts: Mapping[str, Any],
                 data: schema.Data) -> Iterator[tuple[str, str]]:
  """Sets so small that nothing is held out, though it was asked for."""
  if data.held_out > 1 and facts['notes'].get(held_out.NOTE) == 0:
    yield 'config.data.held_out', (
        f'{data.held_out:,}, but nothing is held out, as fewer than '
        f'{held_out.FEWEST} would be: samples are compared with pictures that '
        'G has learned from.')


def few(facts: Mapping[str, Any],
        data: schema.Data) -> Iterator[tuple[str, str]]:
  """Few pictures."""
  if facts['train'] < FEW:
    drawn = data.name in DRAWN
    yield 'config.data.count' if drawn else _place(data), (
        f"only {plural(facts['train'], 'picture')}: D may learn them by "
        f"heart. {'Draw' if drawn else 'Find'} more"
        + ('.' if data.mirror or 'ranges' in facts  # Of points.
           else '; config.data.mirror=true doubles them.'))


def _part(facts, which):
  """What to say before and after a count of a part of the pictures."""
  if facts[which] == facts['train']:
    return '', ''
  return 'at least ', f' among the {facts[which]:,} looked at'


def _called(index, facts, split='train'):
  name = facts['where'][split].get(str(index))
  return f'{index:,} ({name})' if name else f'{index:,}'


def _decided(facts, begins):
  decisions = facts['notes'].get('decisions', {})
  return max((n for what, n in decisions.items() if what.startswith(begins)),
             default=0)


def _originals(facts):
  # Decisions are of the whole set, before some were kept out.
  return max(1, facts['notes'].get('out_of', facts['train']))


def _sizes(facts):
  """(widths, heights, counts) of the most common sizes."""
  sizes = facts['notes'].get('sizes', {})
  if sum(sizes.values()) < .5 * _originals(facts):
    sizes = {}  # Of photographs cut by hand, the common sizes are rare too.
  rows = [(*map(int, size.split('x')), count) for size, count in sizes.items()]
  return np.array(rows, float).reshape(-1, 3).T


def _size_that_fits(facts, data):
  """The largest power of two that nine in ten fill without being enlarged."""
  widths, heights, counts = _sizes(facts)
  if not len(counts):
    return ''
  height, width = facts['shape'][:2]
  edge = np.maximum if data.resize == 'pad' else np.minimum
  filled = edge(heights, widths * height / width)
  order = np.argsort(filled)
  tenth = np.searchsorted(np.cumsum(counts[order]), .1 * counts.sum())
  size = 2 ** int(np.log2(max(1., filled[order][tenth])))
  return f' Nine in ten have the detail of {size}.'


def _cut_off(facts):
  """Mean share of an original's area outside of the frame's shape."""
  widths, heights, counts = _sizes(facts)
  if not len(counts):
    return 0.
  aspect = widths / heights / (facts['shape'][1] / facts['shape'][0])
  return float(1 - np.average(np.minimum(aspect, 1 / aspect), weights=counts))


def _bright_end(histogram):
  """The least value that no more than one in a thousand is above."""
  counts = np.cumsum(histogram)
  return int(np.searchsorted(counts, .999 * counts[-1]))


def _place(data):
  """The setting that says which pictures there are."""
  if data.name in DRAWN:
    return 'config.data.resolution'  # So small, many are drawn alike.
  if data.name in ('tfds', 'huggingface') and data.dataset:
    return 'config.data.dataset'
  return 'config.data.path' if data.path else 'config.data.name'


def _one_of_each(data):
  return _without(
      data, 'all files but one of each', 'one of each',
      'Raise config.data.resolution or lower config.data.count.')


def _without(data, files, others, drawn):
  """What to do so that some pictures are no longer there."""
  if data.name in DRAWN:
    return drawn
  if data.name == 'folder':
    return f'Remove {files}.'
  return (f"To be rid of them, write {others} as files, for config.data.name = "
          "'folder'.")


CONCERNS: tuple[Look, ...] = (
    leaked, copied, dim, flat, skipped, *at_once.LOOKS, upscaled, reshaped,
    colourless, see_through, small_classes, not_held_out, few)
