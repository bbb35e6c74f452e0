"""What a PDF of Chromium's paints where: enough of the format to ask that."""
import re
import zlib

import numpy as np


def pictures(pdf, size):
  """Where pictures are painted.

  Args:
    pdf: bytes of the file.
    size: (width, height) in pixels of the pictures that are meant.

  Returns:
    For each page, (its width and height, [4] of each such picture: left, lower,
    right and upper edge), in points.
  """
  objects = {int(found[1]): found[2] for found in re.finditer(
      rb'(\d+) 0 obj(.*?)endobj', pdf, re.DOTALL)}
  meant = {number for number, content in objects.items()
           if b'/Subtype /Image' in content
           and re.search(rb'/Width %d\s+/Height %d\b' % size, content)}
  found = []
  for page in objects.values():
    if re.search(rb'/Type /Page\b', page):
      box = re.search(rb'/MediaBox \[0 0 ([\d.]+) ([\d.]+)\]', page)
      names = {name for name, number in re.findall(
          rb'/(X\d+) (\d+) 0 R', page) if int(number) in meant}
      content = objects[int(re.search(rb'/Contents (\d+)', page)[1])]
      stream = zlib.decompressobj().decompress(
          content.partition(b'stream\n')[2])
      found.append(((float(box[1]), float(box[2])), [
          edges for name, edges in _painted(stream) if name in names]))
  return found


def _painted(stream):
  """(name, edges) of each picture that a page's content paints."""
  kept, matrix, words = [], np.eye(3), []
  for word in stream.split():
    if word == b'q':
      kept.append(matrix)
    elif word == b'Q':
      matrix = kept.pop()
    elif word == b'cm':
      a, b, c, d, e, f = map(float, words[-6:])
      matrix = np.array([[a, b, 0], [c, d, 0], [e, f, 1]]) @ matrix
    elif word == b'Do':  # The unit square becomes the picture.
      x, y = (np.array([[0, 0, 1], [1, 1, 1]]) @ matrix)[:, :2].T
      yield words[-1][1:], (min(x), min(y), max(x), max(y))
    words.append(word)
