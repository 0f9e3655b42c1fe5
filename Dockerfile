# One image for controller, agent, exporter and doctor: Node, the C library it is linked with, and one file of ours.
# No shell, no package manager. The base is any image with Node 24 and npm; a digest pins it for a release:
#   docker build --build-arg NODE_IMAGE=node:24-bookworm-slim@sha256:… --build-arg VERSION=0.1.0 .
#   docker build --target exporter .          the image of the guide's Deployment ceilometer-exporter
ARG NODE_IMAGE=node:24-bookworm-slim

FROM ${NODE_IMAGE} AS build
WORKDIR /build
COPY package.json package-lock.json .npmrc ./
# Install scripts are for machines without Node 24 and esbuild's binary; the base has the one, npm brings the other.
RUN npm ci --ignore-scripts --no-audit --no-fund
COPY tsconfig.json ./
COPY src src
COPY tools tools
RUN node tools/build.ts
RUN sh tools/image-root.sh /image

FROM scratch AS runtime
ARG VERSION=0.0.0-dev
ARG REVISION=unknown
LABEL org.opencontainers.image.title="couchestor" \
      org.opencontainers.image.description="Keeps each Kubernetes volume on the OpenStack Cinder tier that is worth its money" \
      org.opencontainers.image.source="https://github.com/abiolaogu/couchestor" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"
COPY --from=build /image /
# V8 takes its heap limit from the machine, not from the pod, unless told; the C library keeps one pool of memory, not
# one per thread.
ENV PATH=/usr/local/bin \
    NODE_ENV=production \
    MALLOC_ARENA_MAX=1 \
    NODE_OPTIONS="--max-old-space-size-percentage=75 --max-semi-space-size=1"
USER 65532:65532
ENTRYPOINT ["/usr/local/bin/couchestor"]

FROM runtime AS exporter
EXPOSE 9105
CMD ["exporter"]

FROM runtime AS couchestor
EXPOSE 8080 8081 9105 9106
CMD ["--help"]
