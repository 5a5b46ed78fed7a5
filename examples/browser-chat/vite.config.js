import { defineConfig } from 'vite';

export default defineConfig({
  // The page can be served below any path.
  base: './',
  // The script waits at its top level.
  build: { target: 'es2022', chunkSizeWarningLimit: 1_500 },
});
