"""Pictures as people have them: what tests/new_users.py gives its users."""
import numpy as np
from PIL import Image

# Endings, and the modes of Pillow that they are saved in. Pillow reads and
# writes all of them without anything else.
KINDS = (
    ('.png', 'RGB'), ('.jpg', 'RGB'), ('.png', 'L'), ('.png', 'LA'),
    ('.png', 'P'), ('.png', 'RGBA'), ('.jpg', 'CMYK'), ('.png', 'I;16'),
    ('.webp', 'RGB'), ('.JPG', 'L'), ('.bmp', 'RGB'), ('.tif', 'RGB'),
    ('.gif', 'P'), ('.ppm', 'RGB'), ('.jfif', 'RGB'))
FORMATS = {'.jfif': 'JPEG'}  # Which Pillow does not know by the ending.


def disc(rng, width, height):
  """A disc on a ground, with a little noise; uint8 [height, width, 3]."""
  y, x = np.mgrid[:height, :width]
  ground, spot = rng.integers(30, 226, (2, 3))
  place = (x - rng.uniform(0, width))**2 + (y - rng.uniform(0, height))**2
  pixels = np.where(
      (place < (min(width, height) / 3)**2)[..., None], spot, ground)
  return np.uint8(np.clip(pixels + rng.normal(0, 6, pixels.shape), 0, 255))


def save(path, pixels, mode):
  """Writes uint8 [H, W, 3] in a mode of Pillow."""
  path.parent.mkdir(parents=True, exist_ok=True)
  image = Image.fromarray(pixels)
  if mode == 'I;16':
    image = Image.fromarray(np.uint16(image.convert('L')) * 257)
  elif mode != 'RGB':
    image = image.convert(mode)
  image.save(path, FORMATS.get(path.suffix.lower()))


def write_folder(folder, count, seed=0, sizes=(36, 120), kinds=KINDS,
                 places=('',)):
  """Writes pictures of many sizes and kinds; each is another picture.

  Args:
    folder: where they go.
    count: how many.
    seed: of what they show.
    sizes: the least and the most of width and height.
    kinds: (ending, mode of Pillow) in turn.
    places: folders inside of it, in turn; '' is the folder itself.
  """
  rng = np.random.default_rng(seed)
  for i in range(count):
    ending, mode = kinds[i % len(kinds)]
    width, height = rng.integers(sizes[0], sizes[1] + 1, 2)
    save(folder / places[i % len(places)] / f'{i:03}{ending}',
         disc(rng, width, height), mode)


def write_what_is_no_picture(folder):
  """A broken picture, and files that no one thinks of."""
  whole = sorted(folder.glob('*.jpg'))[0].read_bytes()
  (folder / 'broken.jpg').write_bytes(whole[:len(whole) // 3])
  (folder / 'Thumbs.db').write_bytes(b'\xd0\xcf\x11\xe0' + bytes(500))
  (folder / 'where they are from.txt').write_text('a phone')
