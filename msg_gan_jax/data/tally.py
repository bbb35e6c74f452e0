"""Counts what the pictures of a store are, and what is done to them."""
import collections
from collections.abc import Sequence

from msg_gan_jax.data import decode

# What some pictures are, and how many are so.
Facts = Sequence[tuple[decode.PictureFacts, int]]


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
        (picture.mode.startswith('I'), '16-bit grey scaled to 8 bits'),
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
