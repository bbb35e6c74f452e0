"""What a run says at its end."""
from collections.abc import Callable
import pathlib
from typing import Any

import jax

from msg_gan_jax.files.console import visible
from msg_gan_jax.report import curves
from msg_gan_jax.runs import records


def say_where_they_are(
    folder: pathlib.Path, say: Callable[[str], Any]) -> None:
  """Says where the pictures of a run lie, and draws its curves."""
  say(f'pictures: {folder / "samples"}')
  if jax.process_index():
    return
  path = folder / 'curves.png'
  curves.plot(records.read(folder / 'metrics.jsonl'), path,
              title=visible(folder.name))
  say(f'curves: {path}')
