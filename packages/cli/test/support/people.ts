import path from 'node:path';
import { runCommand } from './run-command.ts';

/** Somebody with a key file, who uses one server. */
export interface Person {
  readonly identityKey: string;
  readonly keyFile: string;
  readonly env: Readonly<Record<string, string>>;
}

/** Makes an identity with the command. @param url the server that its commands use */
export async function createPerson(folder: string, name: string, url: string): Promise<Person> {
  const keyFile = path.join(folder, `${name}.json`);
  const { code, stdout, stderr } = await runCommand(['identity', 'new', '--json', '--key-file', keyFile]);
  if (code !== 0) throw new Error(stderr);
  const { identityKey } = JSON.parse(stdout) as { identityKey: string };
  return { identityKey, keyFile, env: { MESSAGEBOX_URL: url, MESSAGEBOX_KEY: await readPrivateKey(keyFile) } };
}

async function readPrivateKey(keyFile: string): Promise<string> {
  const { stdout } = await runCommand(['identity', 'show', '--private', '--json', '--key-file', keyFile]);
  return (JSON.parse(stdout) as { privateKey: string }).privateKey;
}

/** The lines of JSON that a command has printed. */
export function parseLines(text: string): Record<string, unknown>[] {
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Record<string, unknown>);
}
