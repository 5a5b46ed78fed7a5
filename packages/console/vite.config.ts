import { readdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { brotliCompressSync, constants, gzipSync } from 'node:zlib';
import { defineConfig, type Plugin } from 'vite';
import { MAX_FIRST_VIEW_BYTES, measureFirstView } from './first-view.ts';

const APP = path.join(import.meta.dirname, 'app');
const WORKER = 'sw';
const OUT_DIR = path.join(import.meta.dirname, 'dist', 'app');
/** Files below this size take one packet with or without compression. */
const MIN_COMPRESSED_BYTES = 1_024;

export default defineConfig({
  root: APP,
  // The page is served below any ROUTING_PREFIX.
  base: './',
  publicDir: false,
  oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
  build: {
    outDir: OUT_DIR,
    emptyOutDir: true,
    target: 'es2022',
    // The Content-Security-Policy has no room for data: addresses.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    // The library that speaks for an identity is one large file, which is loaded after the first view.
    chunkSizeWarningLimit: 1_500,
    manifest: 'manifest.json',
    rolldownOptions: {
      input: { index: path.join(APP, 'index.html'), [WORKER]: path.join(APP, 'worker', 'sw.ts') },
      // A service worker has one address for ever, and serves what is below it.
      output: { entryFileNames: ({ name }) => (name === WORKER ? `${WORKER}.js` : 'assets/[name]-[hash].js') },
    },
  },
  plugins: [compressed()],
});

/** Writes each file once more as `.br` and `.gz`, so that no process has to compress while it serves. */
function compressed(): Plugin {
  return {
    name: 'compressed',
    apply: 'build',
    async closeBundle() {
      const files = await readdir(OUT_DIR, { recursive: true, withFileTypes: true });
      for (const file of files.filter((entry) => entry.isFile())) {
        const name = path.join(file.parentPath, file.name);
        const content = await readFile(name);
        if (content.length < MIN_COMPRESSED_BYTES) continue;
        const quality = { [constants.BROTLI_PARAM_QUALITY]: constants.BROTLI_MAX_QUALITY };
        await writeFile(`${name}.br`, brotliCompressSync(content, { params: quality }));
        await writeFile(`${name}.gz`, gzipSync(content, { level: 9 }));
      }
      const bytes = measureFirstView(OUT_DIR);
      if (bytes > MAX_FIRST_VIEW_BYTES) {
        throw new Error(`The first view has ${bytes} bytes compressed, and may have ${MAX_FIRST_VIEW_BYTES}.`);
      }
    },
  };
}
