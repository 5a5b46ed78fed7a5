// Puts what the pages at /docs load into dist/assets, gzipped: the files of Swagger UI that are used, with their licence, and
// those in assets/. Runs after the compiler.
import { copyFileSync, existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { gzipSync } from 'node:zlib';

const here = import.meta.dirname;
const viewer = path.dirname(createRequire(import.meta.url).resolve('swagger-ui-dist/package.json'));
const target = path.join(here, 'dist', 'assets');

const served = [
  ...['swagger-ui-bundle.js', 'swagger-ui.css'].map((name) => path.join(viewer, name)),
  ...['openapi-page.js', 'pages.css'].map((name) => path.join(here, 'assets', name)),
];
const licences = ['LICENSE', 'NOTICE', 'swagger-ui-bundle.js.LICENSE.txt'].map((name) => path.join(viewer, name));

mkdirSync(target, { recursive: true });
for (const source of licences) copyFileSync(source, path.join(target, path.basename(source)));
for (const source of served) {
  const made = path.join(target, `${path.basename(source)}.gz`);
  if (existsSync(made) && statSync(made).mtimeMs > statSync(source).mtimeMs) continue;
  writeFileSync(made, gzipSync(readFileSync(source), { level: 9 }));
}
