/**
 * Makes the server's private key on the first start of a deployment that was given none, and keeps it as `.env` in the
 * working directory, where the services look. All instances share that directory, so they have one identity. The key itself is
 * never printed: logs are kept and read by others.
 */
import { createECDH, randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';

const BACKUP = '(umask 077; docker compose run --rm --no-deps -T identity cat .env > identity.env)';

if (process.env.SERVER_PRIVATE_KEY) {
  console.log('SERVER_PRIVATE_KEY is given.');
} else {
  const ecdh = createECDH('secp256k1');
  const key = randomBytes(32);
  ecdh.setPrivateKey(key);
  try {
    // Fails when it exists: a key is never replaced.
    writeFileSync('.env', `SERVER_PRIVATE_KEY=${key.toString('hex')}\n`, { flag: 'wx', mode: 0o600 });
    console.log(`A server identity was made: ${ecdh.getPublicKey('hex', 'compressed')}`);
    console.log(
      'Its private key is in the volume `config` and nowhere else: `docker compose down -v` deletes it, and a new key',
    );
    console.log(`is a new server. Keep a copy, for example: ${BACKUP}`);
  } catch (error) {
    if (error.code !== 'EEXIST') throw error;
    console.log('The server identity of an earlier start is used.');
  }
}
