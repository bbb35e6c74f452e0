"""Weights, latents, moments, labels and records of runs that are harmed."""
import io
import json
import shutil

from fuzz.examples import given
from fuzz.pictures import harmed, harms
from hostile_runs import EARLIER
from hypothesis import strategies as st
import numpy as np
import torch_files


def seeds():
  """{name: bytes}: each is read by the reader of its end."""
  rng = np.random.default_rng(0)
  tensors = {'double': rng.normal(size=(3, 4)), 'count': np.arange(5),
             'half': rng.normal(size=7).astype(np.float16)}
  found = {'zip.pth': torch_files.saved(tensors),
           'legacy.pth': torch_files.saved(tensors, False)}
  matrix = rng.normal(size=(4, 4))
  for name, arrays in {
      'weights.npz': tensors, 'moments.npz': dict(
          mu=np.zeros(4), sigma=matrix @ matrix.T)}.items():
    for way, save in {'plain': np.savez, 'packed': np.savez_compressed}.items():
      file = io.BytesIO()
      save(file, **arrays)
      found[f'{way}_{name}'] = file.getvalue()
  header = json.dumps({'a': {
      'dtype': 'F32', 'shape': [2, 3], 'data_offsets': [0, 24]}}).encode()
  found['a.safetensors'] = (
      len(header).to_bytes(8, 'little') + header + bytes(24))
  file = io.BytesIO()
  np.save(file, matrix.astype(np.float32))
  found['z.npy'] = file.getvalue()
  pairs = [('a.png', 0), ('b.png', 1), ('c.png', 1)]
  found |= {
      'labels.csv': 'file,label\n' + '\n'.join(f'{a},{b}' for a, b in pairs),
      'labels.json': json.dumps({'labels': pairs}),
      'labels.jsonl': '\n'.join(
          json.dumps({'file': a, 'label': b}) for a, b in pairs)}
  return {name: x.encode() if isinstance(x, str) else x
          for name, x in found.items()}


# What a run's folder has that every command reads.
PARTS = ('config.json', 'metrics.jsonl', 'versions.json', 'changes.jsonl',
         'warnings.jsonl', 'summary.json')


def fuzz(tmp, count, examples):
  from msg_gan_jax.analysis.generator import samples
  from msg_gan_jax.data.labels import labels
  from msg_gan_jax.files import tensors
  from msg_gan_jax.metrics import moments_file
  from msg_gan_jax.runs import read
  run = shutil.copytree(EARLIER, tmp / 'run')
  files = seeds() | {
      f'run/{name}': (run / name).read_bytes() for name in PARTS
      if (run / name).exists()}

  def labelled(path):
    return labels.label_pictures(labels.Contents(
        'set', ['a.png', 'b.png', 'c.png'], [], lambda name: b''), str(path))

  def what(path):
    """(the reader, what its errors begin with) of a file."""
    if path.parent == run:
      return lambda path: repr(read.read(path.parent)), rf'{run}|workdir '
    if path.name.startswith('labels'):
      return labelled, r'config\.data\.\w+: '
    if path.suffix == '.npy':
      return lambda path: samples.read_rows('z', str(path), 4), 'z: '
    if 'moments' in path.name:
      return lambda path: moments_file.MomentsFile(str(path)), 'real: '
    return tensors.read, str(path)

  @given(examples, count.seed, name=st.sampled_from(sorted(files)),
         changes=harms(files))
  def _(name, changes):
    path = tmp / name
    path.write_bytes(harmed(files, name, changes))
    reader, begins = what(path)
    with count.one(f'^({begins})', f'{name} {changes}'):
      reader(path)
    path.write_bytes(files[name])
