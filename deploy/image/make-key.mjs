/**
 * Makes the server's private key on the first start of a deployment that was given none, and keeps it as `.env` in the
 * working directory, where the services look. All instances share that directory, so they have one identity.
 */
import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';

if (process.env.SERVER_PRIVATE_KEY) {
  console.log('SERVER_PRIVATE_KEY is given.');
} else {
  try {
    // Fails when it exists: a key is never replaced.
    writeFileSync('.env', `SERVER_PRIVATE_KEY=${randomBytes(32).toString('hex')}\n`, { flag: 'wx', mode: 0o600 });
    console.log('A server identity was made. It is in this volume: keep it, for a new key is a new server.');
  } catch (error) {
    if (error.code !== 'EEXIST') throw error;
    console.log('The server identity of an earlier start is used.');
  }
}
