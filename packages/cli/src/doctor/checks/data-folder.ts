import { randomBytes } from 'node:crypto';
import { stat, statfs, unlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { type Check, type CheckResult, fail, notApplicable, ok, warn } from '../check.js';

const MIN_FREE_BYTES = 100_000_000;
const FREE_BYTES = 1_000_000_000;

/** Whether standalone can keep its files. */
export const dataFolder: Check = {
  name: 'data folder',
  run: async ({ config }) => {
    const { dataDir, store, redis } = config;
    if (store?.client === 'mysql2' && redis !== undefined) return notApplicable('nothing is kept in DATA_DIR');
    const folder = await findExistingFolder(dataDir);
    if (folder.problem !== undefined)
      return fail(`${dataDir}: ${folder.problem}`, 'Set DATA_DIR to a folder that this user can write to.');
    const problem = await tryWrite(folder.path);
    if (problem !== undefined) {
      return fail(
        `${folder.path} can not be written to (${problem})`,
        'Let this user write there, or set DATA_DIR to another folder.',
      );
    }
    return await judgeSpace(folder.path, dataDir);
  },
};

async function judgeSpace(folder: string, dataDir: string): Promise<CheckResult> {
  const { bavail, bsize } = await statfs(folder);
  const free = bavail * bsize;
  const seen = `${dataDir}, ${Math.floor(free / 1_000_000).toLocaleString('en-US')} MB free`;
  const advice = 'Free some space, or set DATA_DIR to a folder on a larger disk.';
  if (free < MIN_FREE_BYTES) return fail(seen, advice);
  return free < FREE_BYTES ? warn(seen, advice) : ok(seen);
}

/** The folder, or the nearest one above it that exists: standalone creates the rest. */
async function findExistingFolder(dataDir: string): Promise<{ readonly path: string; readonly problem?: string }> {
  for (let folder = dataDir; ; folder = path.dirname(folder)) {
    try {
      const found = await stat(folder);
      return found.isDirectory() ? { path: folder } : { path: folder, problem: `${folder} is no folder` };
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === 'ENOTDIR' && path.dirname(folder) !== folder) continue;
      if (code !== 'ENOENT' || path.dirname(folder) === folder) return { path: folder, problem: String(code) };
    }
  }
}

async function tryWrite(folder: string): Promise<string | undefined> {
  const file = path.join(folder, `.doctor-${randomBytes(8).toString('hex')}`);
  try {
    await writeFile(file, 'doctor', { flag: 'wx', mode: 0o600 });
    await unlink(file);
    return undefined;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code ?? String(error);
  }
}
