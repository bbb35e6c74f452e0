"""What the pictures of a store are, and what was done to them, in numbers."""
import collections

from msg_gan_jax.data import decode


def found(seen):
  """Sizes and modes of the originals, for notes.

  Args:
    seen: list of (decode.Seen, how many pictures are so).
  """
  sizes, modes = collections.Counter(), collections.Counter()
  for one, count in seen:
    sizes[f'{one.width}x{one.height}'] += count
    modes[one.mode] += count
  return {
      'sizes': dict(sizes.most_common(5)),
      'different_sizes': len(sizes),
      'widths': _span(one.width for one, _ in seen),
      'heights': _span(one.height for one, _ in seen),
      'modes': dict(modes.most_common()),
  }


def _span(values):
  values = list(values)
  return [min(values), max(values)]


def decisions(recipe, seen):
  """{what was done: to how many pictures}; only what did happen.

  Args:
    recipe: decode.Recipe.
    seen: as for `found`.
  """
  height, width = recipe.height, recipe.width
  mode = decode.MODES[recipe.channels]
  shape = 'square' if height == width else f'{width}:{height}'
  made = {'center_crop': f'cropped to the middle {shape}',
          'pad': 'padded with ' + ('nothing' if mode == 'RGBA' else 'black'),
          'stretch': f'stretched to a {shape}'}[recipe.resize]
  edge = max if recipe.resize == 'pad' else min
  done = collections.Counter()
  for one, count in seen:
    # The scale at which the picture fits into the frame, or fills it.
    scale = 1 / edge(one.width / width, one.height / height)
    for happened, what in (
        (one.turned, 'turned as their EXIF says'),
        (one.mode.startswith('I'), '16-bit grey scaled to 8 bits'),
        (one.frames, 'first frame of an animation'),
        (one.alpha and mode != 'RGBA', 'alpha laid on white'),
        (one.mode != mode, f'converted from {one.mode} to {mode}'),
        (one.width * height != one.height * width, made),
        (scale > 1, f'scaled up with {recipe.filter}'),
        (scale < 1, f'scaled down with {recipe.filter}'),
    ):
      if happened:
        done[what] += count
  return dict(done.most_common())
