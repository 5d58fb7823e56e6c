# The image for code that was given a GPU: the one that all other code runs in, and on top of it PyTorch with the libraries of CUDA.
# `autoglm sandbox build --gpu` makes the build context as for the other one. The driver's own libraries are not in here: they fit one driver,
# so the engine shows the host's when it grants a device. Nothing is fetched in here.
ARG BASE
FROM ${BASE} AS packages
USER 0:0
COPY wheels /wheels
COPY requirements.txt /wheels/
RUN /opt/python/bin/python "$(echo /wheels/pip-*.whl)/pip" install --no-index --find-links /wheels --no-deps --no-compile --no-cache-dir --target /opt/gpu -r /wheels/requirements.txt \
 && /opt/python/bin/python -m compileall -q -j 0 /opt/gpu \
 && mkdir /opt/path && echo /opt/gpu > /opt/path/gpu.pth
LABEL open-autoglm.stage=packages

FROM ${BASE}
ARG PYTHON
COPY --from=packages /opt/gpu /opt/gpu
COPY --from=packages /opt/path /opt/python/lib/python${PYTHON}/site-packages
ENV NVIDIA_DRIVER_CAPABILITIES=compute,utility
USER 65534:65534
