# The server's image. `./dev image` builds it, also on a machine without a container engine; any
# engine does with `docker build -t canang .`
#
# Built in steps on Debian; what comes out starts from nothing and has only the files that the
# server needs: 17 MiB without a shell or a package manager, where debian:12-slim alone is more than
# 70. What a slim base would have been good for is kept: Debian's records of the packages, which
# vulnerability scanners read, and the licences. To look around in a running container, attach one
# with tools (`kubectl debug --target`, `docker run --pid container:... debian`).

ARG BASE=debian:12-slim

# --- build: the Debian package, from source. Its dependencies are found by dpkg-shlibdeps.
FROM ${BASE} AS build
WORKDIR /src
# On its own, so that a change of the sources does not install anew.
COPY scripts/packages.sh scripts/
RUN ["bash", "-ec", "source scripts/packages.sh; \
  install_packages \"${build_packages[@]}\" \"${package_packages[@]}\""]
COPY . .
# The cache makes a second build on the same machine one of seconds.
RUN --mount=type=cache,target=/root/.cache/ccache ./dev package

# --- package: nothing but the package, so that one that is there already can take this stage's
# place: docker build --build-context package=FOLDER
FROM scratch AS package
COPY --from=build /src/build/package/ /

# --- root: the package installed, with today's security updates, and what it needs picked out.
FROM ${BASE} AS root
COPY --from=package / /package/
COPY scripts/image-root /usr/local/bin/
ARG DEBIAN_FRONTEND=noninteractive
RUN apt-get -qq update \
  && apt-get -qq -y upgrade \
  && apt-get -qq -y install --no-install-recommends ca-certificates /package/canang_*.deb \
  && image-root /image

# --- the image
FROM scratch
COPY --from=root /image/ /

# By number, so that Kubernetes can see that it is not root.
USER 65532:65532
# Other than on a plain machine: probes and Prometheus come from outside the container.
ENV CANANG_INTERNAL_LISTEN=0.0.0.0:9000
EXPOSE 8000 9000
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=5s --start-period=10s --retries=3 \
  CMD ["/usr/bin/canang", "health"]
ENTRYPOINT ["/usr/bin/canang"]

ARG VERSION=unknown
ARG REVISION=unknown
LABEL org.opencontainers.image.title="canang" \
  org.opencontainers.image.description="Distributed WebSocket broadcast service" \
  org.opencontainers.image.licenses="Apache-2.0" \
  org.opencontainers.image.version="${VERSION}" \
  org.opencontainers.image.revision="${REVISION}"
