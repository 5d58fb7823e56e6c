# The image in which the docker backend runs written code. `autoglm sandbox build` makes the build context: `wheels/`, resolved
# outside by the host's own pip, and `requirements.txt`, locked to the versions that the host uses. Nothing is fetched in here.
ARG BASE=python:3.11-slim-bookworm
FROM ${BASE} AS packages
COPY wheels /wheels
COPY requirements.txt /wheels/
RUN python3 -m venv --without-pip /opt/python \
 && /opt/python/bin/python "$(echo /wheels/pip-*.whl)/pip" install --no-index --find-links /wheels --no-deps --no-compile -r /wheels/requirements.txt \
 && /opt/python/bin/python -m compileall -q -j 0 /opt/python/lib
LABEL open-autoglm.stage=packages

FROM ${BASE}
# LightGBM needs the OpenMP library of the system; a base made by debootstrap has it, and then no network is needed.
RUN ldconfig -p | grep -q libgomp.so.1 || (apt-get update && apt-get install -y --no-install-recommends libgomp1)
COPY --from=packages /opt/python /opt/python
COPY etc /etc
# What an execution has no use for is not there to be found; the rest is read-only.
RUN rm -rf /var /home /run /root /srv /media /boot /etc/shadow* /etc/gshadow* /etc/apt /etc/ssh /etc/cron* \
 && find / -xdev -perm /6000 -type f -exec chmod a-s {} + \
 && mkdir -p /mnt /autoglm/job /autoglm/line /autoglm/out /autoglm/work
USER 65534:65534
ENTRYPOINT ["/opt/python/bin/python"]
