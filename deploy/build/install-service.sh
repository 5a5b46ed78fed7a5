#!/bin/sh
# For the Dockerfile, in its /app: installs what one service needs to run (`install-service.sh api`), and leaves of the
# workspace only that service and the packages it is made of.
set -eu
service=$1
filter="@messagebox/$service..."

# By itself no package runs its install script. Without this one, signatures would be made by WebAssembly.
pnpm install --prod --frozen-lockfile --ignore-scripts --filter-prod "$filter"
pnpm --filter @messagebox/brc103 rebuild secp256k1

if [ "$service" = standalone ]; then
  pnpm --filter @messagebox/shared rebuild better-sqlite3
  cd node_modules/.pnpm/better-sqlite3@*/node_modules/better-sqlite3
  find . -type f ! -name '*.js' ! -name package.json ! -path ./build/Release/better_sqlite3.node -delete
  cd /app
else
  # SQLite is for one process with everything in it. What can use it asks for it only then.
  rm -rf node_modules/.pnpm/better-sqlite3@*
fi

needed=$(pnpm list --filter-prod "$filter" --depth -1 --parseable)
for folder in packages/* services/*; do
  echo "$needed" | grep -qxF "$PWD/$folder" || rm -r "$folder"
done

# What is for people who develop, and links to what is gone.
find node_modules -type f \( -name '*.ts' -o -name '*.map' -o -name '*.md' ! -iname 'licen*' \) -delete
find node_modules packages services -xtype l -delete
