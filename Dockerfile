# heistwatch as an image. scripts/check-image-steps.sh runs these steps without a Docker engine.
# npm install, not npm ci: the lockfile lists the native packages of the machine that wrote it, npm ci refuses it
# elsewhere; npm install keeps the locked versions. No package needs its install script here: node is the image's own.

FROM node:24-bookworm-slim AS build
WORKDIR /app
COPY package.json package-lock.json ./
RUN npm install --ignore-scripts --no-audit --no-fund
COPY tsconfig.json tsconfig.build.json ./
COPY scripts/copy-wasm.ts ./scripts/
COPY src ./src
RUN npm run build

FROM node:24-bookworm-slim
ENV NODE_ENV=production
WORKDIR /app
COPY package.json package-lock.json ./
RUN npm install --ignore-scripts --omit=dev --no-audit --no-fund && npm cache clean --force
COPY --from=build /app/dist ./dist
COPY config ./config
COPY watchlists ./watchlists
COPY LICENSE ./
# The embedded store and the control socket; everything else of the image may be read-only.
RUN mkdir data && chown 10001:10001 data
VOLUME /app/data
USER 10001:10001
EXPOSE 9464
STOPSIGNAL SIGTERM
# Liveness only: a database that is away must not restart the daemon, which waits for it.
HEALTHCHECK --interval=15s --timeout=5s --start-period=60s --retries=3 \
  CMD ["node", "-e", "fetch('http://127.0.0.1:9464/livez').then((r) => process.exit(r.ok ? 0 : 1), () => process.exit(1))"]
ENTRYPOINT ["node", "dist/cli/main.js"]
CMD ["run"]
