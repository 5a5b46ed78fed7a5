// Lets Node run the sources of this folder as they are: `node --import …/register-typescript.mjs FILE.ts`.
import { register } from 'node:module';

register('./typescript-hooks.mjs', import.meta.url);
