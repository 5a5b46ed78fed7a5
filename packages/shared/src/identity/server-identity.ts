import { type Authenticator, createAuthenticator, loadCurve, normaliseIdentityKey } from '@messagebox/brc103';
import { type Config, ConfigError } from '../config/index.js';
import type { NormaliseKey } from '../rules/parse-send.js';

/** This server as a party to BRC-103, and its reading of other parties' keys. */
export interface ServerIdentity {
  readonly authenticator: Authenticator;
  readonly normaliseKey: NormaliseKey;
  /** Which implementation of secp256k1 runs: libsecp256k1 natively, or compiled to WASM and several times slower. */
  readonly curve: 'native' | 'wasm';
}

/** @throws {ConfigError} without SERVER_PRIVATE_KEY, or with one that is no key of the curve */
export function serverIdentity(config: Config): ServerIdentity {
  if (config.serverPrivateKey === undefined) {
    throw new ConfigError([
      'SERVER_PRIVATE_KEY is missing: set it to 64 hex characters, for example from: openssl rand -hex 32',
    ]);
  }
  const curve = loadCurve();
  if (!curve.isPrivateKey(config.serverPrivateKey))
    throw new ConfigError(['SERVER_PRIVATE_KEY is not a valid private key']);
  const authenticator = createAuthenticator({
    privateKey: config.serverPrivateKey,
    curve,
    sessionLifeMs: config.sessions.lifeMs,
    ...(config.sessions.secrets === undefined ? {} : { sessionSecrets: config.sessions.secrets }),
  });
  return { authenticator, normaliseKey: (key) => normaliseIdentityKey(key, curve), curve: curve.name };
}
