import '../hostile/register-typescript.mjs';

await import('./run.ts');
