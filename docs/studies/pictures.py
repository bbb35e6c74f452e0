"""What programs of pages share: pictures of many samples, in few bytes."""
import pathlib
from typing import Any


def save(fig: Any, path: pathlib.Path, dpi: int) -> None:
  """Writes a matplotlib figure as a PNG of 256 colours.

  To the eye it is the same, in a third of the bytes.
  """
  from PIL import Image
  fig.savefig(path, dpi=dpi)
  with Image.open(path) as picture:
    small = picture.convert('RGB').quantize(256)
  small.save(path, optimize=True)
