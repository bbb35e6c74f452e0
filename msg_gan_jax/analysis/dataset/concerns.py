"""What deserves a look before one trains, each with the setting that helps."""
import numpy as np

from msg_gan_jax.report.text import percent, reason, several

FEW_IN_CLASS = 10
FEW = 1_000
# Shares from which it is said.
UPSCALED, PADDED, CUT_OFF, SKIPPED = .1, .25, .25, .01
# Sources that draw as many pictures as one likes, and have no path.
DRAWN = ('avatars', 'polygons', 'ring', 'grid', 'line')
NEARLY_GREY = 4.  # Mean of max - min over red, green and blue, 0 .. 255.


def concerns(found, data):
  """Sentences that begin with the place, as errors do.

  Args:
    found: as `census.take` counts it.
    data: config.Data.

  Returns:
    List of str, the gravest first.
  """
  return [f'{place}: {text}' for look in CONCERNS
          for place, text in look(found, data)]


def leaked(found, data):
  leaks = found.get('leaks', {'count': 0})
  if leaks['count']:
    kept, trained = leaks['examples'][0]
    least, among = _part(found, 'compared')
    yield 'config.data.held_out', (
        f"training sees {least}{leaks['count']:,} of {found['held_out']:,} "
        f"held-out pictures too{among} (held-out "
        f"{_called(kept, found, 'held_out')} = {_called(trained, found)}), so "
        f'that what is measured against them flatters. {_one_of_each(data)}')


def copied(found, data):
  same = found.get('copies', {'count': 0})
  if not same['count']:
    return
  least, among = _part(found, 'compared')
  share = '' if least else f" ({percent(same['count'] / found['train'])})"
  groups = '; '.join(' = '.join(_called(i, found) for i in group)
                     for group in same['examples'])
  torn = same['in_two_classes']
  yield _place(data), (
      f"{least}{several(same['count'], 'exact copy', 'exact copies')}{share} "
      f'of other pictures{among}: numbers {groups}. The most frequent is '
      f"there {least}{same['largest']:,} times"
      + (f', and {torn:,} under several labels' if torn else '')
      + f'. G learns to repeat them. {_one_of_each(data)}')


def flat(found, data):
  one = found.get('one_colour', {'count': 0})
  if one['count']:
    least, among = _part(found, 'looked_at')
    yield _place(data), (
        f"{least}{several(one['count'], 'picture')} of one colour{among}: "
        f"number {', '.join(_called(i, found) for i in one['examples'])}"
        + (', ...' if one['count'] > len(one['examples']) else '') + '. '
        + _without(data, 'the files', 'the others',
                   'Raise config.data.resolution.'))


def skipped(found, data):
  bad = found['notes'].get('skipped') or []
  if len(bad) > SKIPPED * found['train']:
    yield 'config.data.on_bad', (
        f"{several(len(bad), 'broken file')} skipped, the first "
        f"{bad[0][0]!r} ({reason(bad[0][1])}); 'error' stops at it.")


def upscaled(found, data):
  count = _decided(found, 'scaled up')
  share = count / _originals(found)
  if share > UPSCALED:
    yield 'config.data.resolution', (
        f"{'most' if share > .5 else 'many'} originals are smaller: "
        f'{count:,} ({percent(share)}) were scaled up to '
        f"{found['shape'][1]}x{found['shape'][0]}, which adds blur and no "
        f'detail.{_size_that_fits(found, data)}')


def reshaped(found, data):
  padded, cropped = _decided(found, 'padded'), _decided(found, 'cropped')
  stretched = _decided(found, 'stretched')
  if padded > PADDED * _originals(found):
    yield 'config.data.resize', (
        f"{several(padded, 'picture')} got bars, which G must learn too; "
        "'center_crop' has none.")
  if stretched > PADDED * _originals(found):
    yield 'config.data.resize', (
        f"{several(stretched, 'picture')} stretched; 'center_crop' and 'pad' "
        'keep the proportions.')
  lost = _cut_off(found)
  if cropped and lost > CUT_OFF:
    yield 'config.data.resize', (
        f"'center_crop' cuts off {percent(lost)} of a picture on average; "
        "'pad' keeps it whole, config.data.width gives another shape.")


def colourless(found, data):
  colour = found.get('colour')
  if not colour:
    return
  if colour['grey_pictures'] == found['looked_at']:
    yield 'config.data.channels', (
        f'{data.channels}, but every picture is grey; 1 is as good, and '
        'cheaper.')
  elif colour['mean_spread'] < NEARLY_GREY:
    yield 'config.data.channels', (
        f"{data.channels}, but the pictures are nearly grey: red, green and "
        f"blue differ by {colour['mean_spread']:.1f} of 255 on average; 1 "
        'would do.')
  elif colour['grey_pictures'] > found['looked_at'] / 10:
    yield 'config.data.channels', (
        f"{several(colour['grey_pictures'], 'grey picture')} "
        f"({percent(colour['grey_pictures'] / found['looked_at'])}) among "
        'coloured ones; with 1 all would be grey.')


def see_through(found, data):
  dropped = _decided(found, 'alpha laid on white')
  if dropped:
    yield 'config.data.channels', (
        f"{data.channels}, and the alpha of {several(dropped, 'picture')} was "
        'laid on white; 4 keeps it.')
  if found.get('opaque'):
    yield 'config.data.channels', '4, but alpha is 255 everywhere; 3 is enough.'


def small_classes(found, data):
  small = {name: count for name, count in found['classes'].items()
           if count < FEW_IN_CLASS}
  if small:
    first = ', '.join(f'{k} ({v})' for k, v in list(small.items())[:3])
    yield _label_place(data), (
        f"{len(found['classes']):,} classes, {len(small):,} of them with "
        f'under {FEW_IN_CLASS} pictures, as {first}: a conditional GAN learns '
        'those by heart. Join classes, or take other labels.')


def few(found, data):
  if found['train'] < FEW:
    drawn = data.name in DRAWN
    yield 'config.data.count' if drawn else _place(data), (
        f"only {several(found['train'], 'picture')}: D may learn them by "
        f"heart. {'Draw' if drawn else 'Find'} more"
        + ('.' if data.mirror or 'ranges' in found  # Of points.
           else '; config.data.mirror=true doubles them.'))


def _part(found, which):
  """What to say before and after a count of a part of the pictures."""
  if found[which] == found['train']:
    return '', ''
  return 'at least ', f' among the {found[which]:,} looked at'


def _called(index, found, split='train'):
  name = found['where'][split].get(str(index))
  return f'{index:,} ({name})' if name else f'{index:,}'


def _decided(found, begins):
  decisions = found['notes'].get('decisions', {})
  return max((n for what, n in decisions.items() if what.startswith(begins)),
             default=0)


def _originals(found):
  # Decisions are of the whole set, before some were kept out.
  return max(1, found['notes'].get('out_of', found['train']))


def _sizes(found):
  """(widths, heights, counts) of the most common sizes."""
  sizes = found['notes'].get('sizes', {})
  if sum(sizes.values()) < .5 * _originals(found):
    sizes = {}  # Of photographs cut by hand, the common sizes are rare too.
  rows = [(*map(int, size.split('x')), count) for size, count in sizes.items()]
  return np.array(rows, float).reshape(-1, 3).T


def _size_that_fits(found, data):
  """The largest power of two that nine in ten fill without being enlarged."""
  widths, heights, counts = _sizes(found)
  if not len(counts):
    return ''
  height, width = found['shape'][:2]
  edge = np.maximum if data.resize == 'pad' else np.minimum
  filled = edge(heights, widths * height / width)
  order = np.argsort(filled)
  tenth = np.searchsorted(np.cumsum(counts[order]), .1 * counts.sum())
  size = 2 ** int(np.log2(max(1., filled[order][tenth])))
  return f' Nine in ten have the detail of {size}.'


def _cut_off(found):
  """Mean share of an original's area outside of the frame's shape."""
  widths, heights, counts = _sizes(found)
  if not len(counts):
    return 0.
  aspect = widths / heights / (found['shape'][1] / found['shape'][0])
  return float(1 - np.average(np.minimum(aspect, 1 / aspect), weights=counts))


def _place(data):
  """The setting that says which pictures there are."""
  if data.name in DRAWN:
    return 'config.data.resolution'  # So small, many are drawn alike.
  if data.name in ('tfds', 'huggingface') and data.dataset:
    return 'config.data.dataset'
  return 'config.data.path' if data.path else 'config.data.name'


def _label_place(data):
  return 'config.data.label_file' if data.label_file else 'config.data.label'


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


CONCERNS = (leaked, copied, flat, skipped, upscaled, reshaped, colourless,
            see_through, small_classes, few)
