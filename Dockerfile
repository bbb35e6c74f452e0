# An image of this checkout. For NVIDIA's GPUs: --build-arg=EXTRA=cuda
FROM python:3.12-slim
ARG EXTRA=
WORKDIR /opt/msg_gan_jax
COPY setup.cfg setup.py pyproject.toml MANIFEST.in README.md LICENSE ./
COPY msg_gan_jax msg_gan_jax
COPY experiments experiments
RUN python -m pip install --no-cache-dir ".${EXTRA:+[$EXTRA]}"
# Runs, experiments and the cache lie in a folder of the host, mounted at /work.
ENV HOME=/work
WORKDIR /work
# Not `python -m`, which would take a folder of that name in /work.
ENTRYPOINT ["msg_gan_jax"]
