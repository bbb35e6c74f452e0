"""Seconds of torch-fidelity's FID of two folders, which is printed before.

  python torch_fidelity.py --real=A --fake=B --weights=weights.pth

Theirs: all of `calculate_metrics(fid=True)`, without its cache: the network,
the features of both folders, the distance. --weights, a file that
make_weights.py wrote or the published one, is their own argument
feature_extractor_weights_path.

Without --path it is the package of that name that is installed.
"""
import time

import peer_clock

URL = 'https://github.com/toshas/torch-fidelity'


def run():
  flags = peer_clock.fid_flags(__doc__)
  flags.add_argument('--batch', type=int, default=50)
  options = peer_clock.parse_fid(flags)
  if options.path:
    peer_clock.use_checkout(options.path, URL, '', 'torch_fidelity/__init__.py')
  import torch
  import torch_fidelity

  start = time.perf_counter()
  found = torch_fidelity.calculate_metrics(
      input1=options.fake, input2=options.real, fid=True, cache=False,
      verbose=False, cuda=torch.cuda.is_available(), batch_size=options.batch,
      feature_extractor_weights_path=options.weights)
  passed = time.perf_counter() - start
  print(f'FID {found["frechet_inception_distance"]:.6f}')
  return passed


if __name__ == '__main__':
  peer_clock.main(run)
