# Node 24: long-term support until April 2028. The tag names the exact release, so that the same
# commit builds on the same Node; raise it on purpose. Debian slim rather than Alpine: the tests and
# the benchmarks run on glibc.
ARG NODE_IMAGE=node:24.21.0-trixie-slim

# Compiles. The compiler and everything else from devDependencies stays behind here.
FROM ${NODE_IMAGE} AS build
WORKDIR /build
COPY package.json package-lock.json ./
RUN npm ci --ignore-scripts --no-audit --no-fund
COPY tsconfig.json ./
COPY src ./src
COPY scripts/bundle.mjs ./scripts/
RUN node scripts/bundle.mjs --no-source-map

# What the program needs when it runs, exactly as the lock file says.
FROM ${NODE_IMAGE} AS dependencies
WORKDIR /build
COPY package.json package-lock.json ./
RUN npm ci --omit=dev --ignore-scripts --no-audit --no-fund

FROM ${NODE_IMAGE}
# A fixed id, for whoever mounts a directory: it must be able to write to /data.
RUN groupadd --gid 10001 ironcached \
  && useradd --uid 10001 --gid ironcached --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin ironcached \
  && install --directory --owner=ironcached --group=ironcached --mode=700 /data
# The program belongs to root: the service cannot change it.
WORKDIR /app
COPY --from=dependencies /build/node_modules ./node_modules
COPY --from=build /build/dist ./dist
COPY package.json LICENSE ./
COPY openapi ./openapi
COPY scripts/healthcheck.mjs ./scripts/

# In a container, other machines are the only clients there are; publish the ports with care.
# The last has items kept in large pages where the system lets programs ask for them: test/bench/README.md
# says what that is worth.
ENV NODE_ENV=production \
    IRONCACHED_HTTP_HOST=0.0.0.0 \
    IRONCACHED_MEMCACHED_HOST=0.0.0.0 \
    IRONCACHED_DATA_DIR=/data \
    GLIBC_TUNABLES=glibc.malloc.hugetlb=1
EXPOSE 8080 11211
# The credentials that the first start makes. A new volume takes over the owner that was set above.
VOLUME /data
# By number, so that Kubernetes' runAsNonRoot can see that it is not root.
USER 10001:10001

HEALTHCHECK --interval=10s --timeout=5s --start-period=10s --retries=3 \
  CMD ["node", "scripts/healthcheck.mjs"]
# No shell and no npm in between: node gets the SIGTERM of `docker stop` itself and stops in order.
ENTRYPOINT ["node", "dist/main.js"]
