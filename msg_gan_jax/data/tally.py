"""Counts what the pictures of a store are, and what is done to them."""
import collections
from collections.abc import Mapping, Sequence

from msg_gan_jax.data import decode

# Of the way from black to white: what stays so near to an end is nearly that.
NEARLY = .25
# What some pictures are, and how many are so.
Facts = Sequence[tuple[decode.PictureFacts, int]]


def counted(facts: collections.Counter) -> dict:
  """Counts facts for JSON, and what data.pictures.Pictures keeps.

  Args:
    facts: how many pictures have each decode.PictureFacts.

  Returns:
    'seen', [[*PictureFacts but for their values, how many], ...], and 'wide':
    [how many have more than 8 bits, their least value, their largest, the
    median of the values that nearly all of a picture are below], or None.
  """
  seen: collections.Counter = collections.Counter()
  wide: list[tuple] = []  # Values, once for each picture.
  for picture, count in facts.items():
    seen[picture[:-1]] += count
    if picture.values:
      wide += [picture.values] * count
  least, largest, bright = zip(*wide, strict=True) if wide else ((), (), ())
  return {'seen': [[*row, count] for row, count in seen.most_common()],
          'wide': [len(wide), min(least), max(largest),
                   sorted(bright)[len(bright) // 2]] if wide else None}


def wide_note(wide: Sequence | None,
              span: tuple[float, float] | None) -> dict:
  """What there is of more than 8 bits, for notes; {} if nothing.

  Args:
    wide: of `counted`.
    span: the values that become black and white; None is decode.USUAL_RANGE.
  """
  return {} if wide is None else {'more_than_8_bits': dict(zip(
      ('pictures', 'least', 'largest', 'bright', 'black', 'white'),
      (*wide, *(span or decode.USUAL_RANGE)), strict=True))}


def is_dark(wide: Mapping[str, float]) -> bool:
  """Whether nearly all values of a `wide_note` become nearly black."""
  return wide['bright'] - wide['black'] < NEARLY * (
      wide['white'] - wide['black'])


def suited_range(least: float, largest: float) -> tuple[str, int]:
  """('0:4095', 12): the range that values are likely meant in, and its bits.

  The bits are 0 where the values are not counts from 0 on.
  """
  if isinstance(largest, int) and least >= 0:
    bits = max(1, largest.bit_length())
    return f'0:{2**bits - 1}', bits
  return f'{least:.10g}:{largest:.10g}', 0


def knows_values(about: dict) -> bool:
  """Whether what a cache kept tells of values, where there is what to tell.

  An earlier version did not note them.
  """
  return 'wide' in about or not any(
      decode.is_deep(decode.PictureFacts(*row[:-1]).mode)
      for row in about['seen'])


def size_summary(facts: Facts) -> dict:
  """Counts sizes and modes of the originals, for notes."""
  sizes: collections.Counter = collections.Counter()
  modes: collections.Counter = collections.Counter()
  for picture, count in facts:
    sizes[f'{picture.width}x{picture.height}'] += count
    modes[picture.mode] += count
  widths = [picture.width for picture, _ in facts]
  heights = [picture.height for picture, _ in facts]
  return {
      'sizes': dict(sizes.most_common(5)),
      'different_sizes': len(sizes),
      'widths': [min(widths), max(widths)],
      'heights': [min(heights), max(heights)],
      'modes': dict(modes.most_common()),
  }


def decisions(recipe: decode.Recipe, facts: Facts) -> dict[str, int]:
  """Counts {what was done: to how many pictures}; only what did happen."""
  height, width = recipe.height, recipe.width
  mode = decode.MODES[recipe.channels]
  shape = 'square' if height == width else f'{width}:{height}'
  fitted = {'center_crop': f'cropped to the middle {shape}',
            'pad': 'padded with ' + ('nothing' if mode == 'RGBA' else 'black'),
            'stretch': f'stretched to a {shape}'}[recipe.resize]
  edge = max if recipe.resize == 'pad' else min
  counts: collections.Counter = collections.Counter()
  for picture, count in facts:
    # The scale at which the picture fits into the frame, or fills it.
    scale = 1 / edge(picture.width / width, picture.height / height)
    for happened, what in (
        (picture.turned, 'turned as their EXIF says'),
        (decode.is_deep(picture.mode), '16-bit grey scaled to 8 bits' if (
            recipe.range is None) else 'scaled to 8 bits from {:g}:{:g}'.format(
                *recipe.range)),
        (picture.upper, 'upper 8 of 16 bits in colour read'),
        (picture.frames, 'first frame of an animation'),
        (picture.alpha and mode != 'RGBA', 'alpha laid on white'),
        (picture.mode != mode, f'converted from {picture.mode} to {mode}'),
        (picture.width * height != picture.height * width, fitted),
        (scale > 1, f'scaled up with {recipe.filter}'),
        (scale < 1, f'scaled down with {recipe.filter}'),
    ):
      if happened:
        counts[what] += count
  return dict(counts.most_common())
