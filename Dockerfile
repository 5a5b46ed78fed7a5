# The images of all services. Targets: api (also `node services/api/dist/migrate.js`), realtime,
# overlay, standalone. A new package needs no line here; a new service needs three stages.
#
#   docker build --target api --tag messagebox/api .
#
# NODE_IMAGE may name a digest, so that the same base is used again:
#
#   docker build --build-arg NODE_IMAGE=node:22-bookworm-slim@sha256:… --target api --tag messagebox/api .
#
# `docker buildx imagetools inspect node:22-bookworm-slim` prints the digest of today. Releases are built with one, and name it
# in the label org.opencontainers.image.base.name.

ARG NODE_IMAGE=node:22-bookworm-slim

# --- what runs: Node, and an init that passes signals on and collects what ended --------------------------------------
# Node as process 1 would ignore SIGTERM until its handlers are set, that is while it waits for a database or for Redis.
FROM ${NODE_IMAGE} AS runtime
RUN apt-get update \
 && apt-get install --yes --no-install-recommends tini \
 && rm -rf /var/lib/apt/lists/* \
 && mkdir /config /data \
 && chown node:node /config /data
WORKDIR /app
ENV PORT=8080
# glibc gives memory back to the system when it is freed: what comes over sockets is read into buffers of 64 KB.
ENV MALLOC_ARENA_MAX=2 MALLOC_MMAP_THRESHOLD_=65536 MALLOC_TRIM_THRESHOLD_=131072
COPY deploy/image/ bin/
USER node
EXPOSE 8080
HEALTHCHECK --interval=10s --timeout=4s --start-period=30s CMD ["node", "/app/bin/healthcheck.mjs", "/health/live"]
ENTRYPOINT ["/usr/bin/tini", "--"]

# --- what builds: pnpm in the version of package.json, and the manifests, which change more rarely than the sources ----
FROM ${NODE_IMAGE} AS only-manifests
WORKDIR /app
COPY packages packages
COPY services services
RUN find packages services -type f ! -name package.json -delete && find packages services -type d -empty -delete

FROM ${NODE_IMAGE} AS manifests
ENV CI=true COREPACK_ENABLE_DOWNLOAD_PROMPT=0
WORKDIR /app
COPY package.json pnpm-lock.yaml pnpm-workspace.yaml ./
RUN corepack enable && corepack install
# Compared by content: what follows is done again only when a manifest has changed.
COPY --from=only-manifests /app ./

FROM manifests AS build
RUN --mount=type=cache,id=pnpm,target=/root/.local/share/pnpm/store \
    pnpm install --frozen-lockfile --ignore-scripts
COPY tsconfig.base.json ./
COPY packages packages
COPY services services
RUN node node_modules/typescript/bin/tsc -b services/standalone \
 && node packages/api-description/copy-assets.mjs \
 && find packages services -path '*/dist/*' -type f ! -name '*.js' ! -path '*/dist/assets/*' ! -path '*/node_modules/*' -delete \
 && cd packages/console && node node_modules/vite/bin/vite.js build app --config vite.config.ts

# --- dependencies of each service, without those for development -------------------------------------------------------
# secp256k1 brings its addon ready-made for x64 only; elsewhere it is compiled, as WebAssembly would be several times
# slower.
FROM manifests AS dependencies
RUN if [ "$(dpkg --print-architecture)" != amd64 ]; then \
      apt-get update && apt-get install --yes --no-install-recommends python3 make g++; \
    fi
ENV npm_config_nodedir=/usr/local
COPY deploy/build/ /usr/local/bin/

FROM dependencies AS api-dependencies
RUN --mount=type=cache,id=pnpm,target=/root/.local/share/pnpm/store install-service.sh api

FROM dependencies AS realtime-dependencies
RUN --mount=type=cache,id=pnpm,target=/root/.local/share/pnpm/store install-service.sh realtime

FROM dependencies AS overlay-dependencies
RUN --mount=type=cache,id=pnpm,target=/root/.local/share/pnpm/store install-service.sh overlay

FROM dependencies AS standalone-dependencies
RUN apt-get update && apt-get install --yes --no-install-recommends python3 make g++
RUN --mount=type=cache,id=pnpm,target=/root/.local/share/pnpm/store install-service.sh standalone

# --- and what was built of each package that it is made of -------------------------------------------------------------
FROM api-dependencies AS api-files
RUN --mount=type=bind,from=build,source=/app,target=/build \
    set -e; for folder in packages/* services/*; do cp -r /build/$folder/dist $folder/; done

FROM realtime-dependencies AS realtime-files
RUN --mount=type=bind,from=build,source=/app,target=/build \
    set -e; for folder in packages/* services/*; do cp -r /build/$folder/dist $folder/; done

FROM overlay-dependencies AS overlay-files
RUN --mount=type=bind,from=build,source=/app,target=/build \
    set -e; for folder in packages/* services/*; do cp -r /build/$folder/dist $folder/; done

FROM standalone-dependencies AS standalone-files
RUN --mount=type=bind,from=build,source=/app,target=/build \
    set -e; for folder in packages/* services/*; do cp -r /build/$folder/dist $folder/; done

# --- the images --------------------------------------------------------------------------------------------------------
FROM runtime AS api
ENV NODE_ENV=production
CMD ["node", "/app/services/api/dist/main.js"]
COPY --from=api-dependencies /app/package.json ./
COPY --from=api-dependencies /app/node_modules node_modules
COPY --from=api-files /app/packages packages
COPY --from=api-files /app/services services
ARG VERSION=dev
ARG REVISION=unknown
ARG NODE_IMAGE
LABEL org.opencontainers.image.base.name="${NODE_IMAGE}" \
      org.opencontainers.image.title="MessageBox api" \
      org.opencontainers.image.description="Authenticated store-and-forward messages: requests over HTTP, and the migration command" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"

FROM runtime AS realtime
ENV NODE_ENV=production
CMD ["node", "/app/services/realtime/dist/main.js"]
COPY --from=realtime-dependencies /app/package.json ./
COPY --from=realtime-dependencies /app/node_modules node_modules
COPY --from=realtime-files /app/packages packages
COPY --from=realtime-files /app/services services
ARG VERSION=dev
ARG REVISION=unknown
ARG NODE_IMAGE
LABEL org.opencontainers.image.base.name="${NODE_IMAGE}" \
      org.opencontainers.image.title="MessageBox realtime" \
      org.opencontainers.image.description="Authenticated store-and-forward messages: live delivery over sockets" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"

FROM runtime AS overlay
ENV NODE_ENV=production
CMD ["node", "/app/services/overlay/dist/main.js"]
COPY --from=overlay-dependencies /app/package.json ./
COPY --from=overlay-dependencies /app/node_modules node_modules
COPY --from=overlay-files /app/packages packages
COPY --from=overlay-files /app/services services
ARG VERSION=dev
ARG REVISION=unknown
ARG NODE_IMAGE
LABEL org.opencontainers.image.base.name="${NODE_IMAGE}" \
      org.opencontainers.image.title="MessageBox overlay" \
      org.opencontainers.image.description="Authenticated store-and-forward messages: finding hosts, and being found" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"

# Not NODE_ENV=production: it makes its own identity on the first start, and keeps it in the volume with the messages.
FROM runtime AS standalone
ENV DATA_DIR=/data
VOLUME /data
CMD ["node", "/app/services/standalone/dist/main.js"]
COPY --from=standalone-dependencies /app/package.json ./
COPY --from=standalone-dependencies /app/node_modules node_modules
COPY --from=standalone-files /app/packages packages
COPY --from=standalone-files /app/services services
ARG VERSION=dev
ARG REVISION=unknown
ARG NODE_IMAGE
LABEL org.opencontainers.image.base.name="${NODE_IMAGE}" \
      org.opencontainers.image.title="MessageBox standalone" \
      org.opencontainers.image.description="Authenticated store-and-forward messages: everything in one process, with SQLite" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"
