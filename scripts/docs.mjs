// Writes the documents that are made of the configuration and of the description of the API: `npm run docs`.
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { errorCatalogueModule } from './lib/error-catalogue.mjs';
import { generatedDocs } from './lib/generated-docs.mjs';
import { compile, prepare } from './lib/prepare.mjs';
import { main } from './lib/run.mjs';
import { inRoot } from './lib/workspace.mjs';

await main(async () => {
  await prepare();
  // The descriptions of the API are made of the error codes, so these are compiled before.
  writeFileSync(inRoot('packages/api-description/src/errors/catalogue.ts'), errorCatalogueModule());
  await compile(['packages/api-description']);
  const configuration = await import('../packages/shared/dist/config/index.js');
  const description = await import('../packages/api-description/dist/index.js');
  for (const [name, update] of Object.entries(generatedDocs(configuration, description))) {
    const file = inRoot(name);
    writeFileSync(file, update(existsSync(file) ? readFileSync(file, 'utf8') : ''));
  }
});
