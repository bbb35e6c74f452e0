"""Counts what the pictures of a store are, and what is done to them."""
import collections
from collections.abc import Sequence

from msg_gan_jax.data import decode

# What some pictures are, and how many are so.
Facts = Sequence[tuple[decode.PictureFacts, int]]


def counted(facts: collections.Counter) -> dict:
  """Counts facts for JSON, and what data.pictures.Pictures keeps.

  Args:
    facts: how many pictures have each decode.PictureFacts.

  Returns:
    'seen', [[*PictureFacts but for their values, how many], ...], and 'deep',
    [how many have more than 8 bits, their least value, their largest], or None.
  """
  seen: collections.Counter = collections.Counter()
  deep = None
  for picture, count in facts.items():
    seen[picture[:-1]] += count
    if picture.values:
      values = picture.values if deep is None else (*deep[1:], *picture.values)
      deep = [count + (deep[0] if deep else 0), min(values), max(values)]
  return {'seen': [[*row, count] for row, count in seen.most_common()],
          'deep': deep}


def deep_note(deep: Sequence | None) -> dict:
  """What `counted` found of more than 8 bits, for notes; {} if nothing."""
  return {} if deep is None else {'more_than_8_bits': dict(zip(
      ('pictures', 'least', 'largest'), deep, strict=True))}


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
