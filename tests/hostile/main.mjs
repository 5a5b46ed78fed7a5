import './register-typescript.mjs';

await import('./run.ts');
