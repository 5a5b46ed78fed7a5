// Brings the tables of docs/limits.md up to date with the configuration: `node scripts/limits-doc.mjs`.
import { readFileSync, writeFileSync } from 'node:fs';
import { withLimitTables } from './lib/limits-tables.mjs';
import { prepare } from './lib/prepare.mjs';
import { main } from './lib/run.mjs';
import { inRoot } from './lib/workspace.mjs';

await main(async () => {
  await prepare();
  const { describedLimits } = await import('../packages/shared/dist/config/limit-variables.js');
  const file = inRoot('docs', 'limits.md');
  writeFileSync(file, withLimitTables(readFileSync(file, 'utf8'), describedLimits()));
});
