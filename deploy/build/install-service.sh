#!/bin/sh
# For the Dockerfile, in its /app: installs what one service needs to run (`install-service.sh api`), and leaves of the
# workspace only that service and the packages it is made of.
set -eu
service=$1
tools=$(dirname "$0")
filter="@messagebox/$service..."

# By itself no package runs its install script. Without this one, signatures would be made by WebAssembly.
pnpm install --prod --frozen-lockfile --ignore-scripts --filter-prod "$filter"
pnpm --filter @messagebox/brc103 rebuild secp256k1

if [ "$service" = standalone ]; then
  pnpm --filter @messagebox/store rebuild better-sqlite3
  find node_modules/.pnpm/better-sqlite3@*/node_modules/better-sqlite3 -type f ! -name '*.js' ! -name package.json \
    ! -path '*/build/Release/better_sqlite3.node' -delete
fi

needed=$(pnpm list --filter-prod "$filter" --depth -1 --parseable)
for folder in packages/* services/*; do
  echo "$needed" | grep -qxF "$PWD/$folder" || rm -r "$folder"
done

node "$tools/leave-out.mjs" "$service"

# What is for people who develop, for compilers and for browsers, and links to what is gone.
# The toolbox loads none of its tests (tests/supply/overrides.test.ts); the SDK does load files from such folders.
find node_modules/.pnpm/@bsv+wallet-toolbox@* -type d \( -name __test -o -name __tests \) -prune -exec rm -r {} +
rm -rf node_modules/.pnpm/@bsv+*/node_modules/@bsv/*/dist/umd
find node_modules -type f \( -name '*.ts' -o -name '*.map' -o -name '*.md' ! -iname 'licen*' -o -name '*.gyp' -o -name '*.gypi' \
  -o -name '*.c' -o -name '*.cc' -o -name '*.cpp' -o -name '*.h' -o -name '*.hpp' -o -name '*.tar.gz' \) -delete
find node_modules packages services -xtype l -delete
