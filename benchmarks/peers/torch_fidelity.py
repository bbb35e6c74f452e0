"""Seconds of torch-fidelity's FID of two folders, which is printed before.

  python torch_fidelity.py --real=A --fake=B --weights=weights.pth

Theirs: all of `calculate_metrics(fid=True)`, without its cache: the network,
the features of both folders, the distance. --weights, a file that
make_weights.py wrote or the published one, is their own argument
feature_extractor_weights_path.

--all computes KID and the inception score too. --batch=1 takes pictures of
several sizes.

Without --path it is the package of that name that is installed.
"""
import os
import time

import peer_clock

URL = 'https://github.com/toshas/torch-fidelity'


def run():
  flags = peer_clock.fid_flags(__doc__)
  flags.add_argument('--batch', type=int, default=50)
  flags.add_argument('--all', action='store_true', help='not FID alone')
  options = peer_clock.parse_fid(flags)
  if options.path:
    peer_clock.use_checkout(options.path, URL, '', 'torch_fidelity/__init__.py')
  import torch
  import torch_fidelity

  start = time.perf_counter()
  found = torch_fidelity.calculate_metrics(
      input1=options.fake, input2=options.real, fid=True, kid=options.all,
      isc=options.all, cache=False, kid_subset_size=min(1000, *(
          len(os.listdir(x)) for x in (options.real, options.fake))),
      verbose=False, cuda=torch.cuda.is_available(), batch_size=options.batch,
      feature_extractor_weights_path=options.weights)
  passed = time.perf_counter() - start
  for name, key in (('FID', 'frechet_inception_distance'),
                    ('KID', 'kernel_inception_distance_mean'),
                    ('IS', 'inception_score_mean')):
    if key in found:
      print(f'{name} {found[key]:.9g}')
  return passed


if __name__ == '__main__':
  peer_clock.main(run)
