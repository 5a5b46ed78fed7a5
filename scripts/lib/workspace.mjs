import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The repository's folder. */
export const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..');

/** An absolute path inside the repository. */
export const inRoot = (...parts) => join(root, ...parts);

/** The parsed JSON of a file inside the repository. */
export const readJson = (...parts) => JSON.parse(readFileSync(inRoot(...parts), 'utf8'));

/** The arguments after the script's name, without the `--` that pnpm passes on and npm does not. */
export function scriptArguments() {
  const args = process.argv.slice(2);
  return args[0] === '--' ? args.slice(1) : args;
}

/** The workspace's packages as folders relative to the root, the root itself ('.') first. */
export function workspaceFolders() {
  const folders = ['.'];
  let inPackages = false;
  for (const line of readFileSync(inRoot('pnpm-workspace.yaml'), 'utf8').split('\n')) {
    if (/^\S/.test(line)) inPackages = line.startsWith('packages:');
    const entry = inPackages && /^\s+-\s*["']?([^"'\s#]+)/.exec(line);
    if (!entry) continue;
    if (entry[1].endsWith('/*')) {
      const parent = entry[1].slice(0, -2);
      for (const name of listFolders(parent)) folders.push(`${parent}/${name}`);
    } else {
      folders.push(entry[1]);
    }
  }
  return folders.filter((folder) => readdirOrNothing(folder).some((entry) => entry.name === 'package.json'));
}

const listFolders = (folder) =>
  readdirOrNothing(folder)
    .filter((entry) => entry.isDirectory())
    .map((entry) => entry.name)
    .sort();

function readdirOrNothing(folder) {
  try {
    return readdirSync(inRoot(folder), { withFileTypes: true });
  } catch {
    return [];
  }
}
