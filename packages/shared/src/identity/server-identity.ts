import { type Authenticator, createAuthenticator, loadCurve, normaliseIdentityKey } from '@messagebox/brc103';
import type { NormaliseKey } from '@messagebox/messages';
import { ConfigError } from '../config/config-error.js';
import type { Config } from '../config/read-config.js';

/** This server's identity for BRC-103, and the parser for other parties' keys. */
export interface ServerIdentity {
  readonly authenticator: Authenticator;
  readonly normaliseKey: NormaliseKey;
  /** The implementation of secp256k1: native libsecp256k1, or its WASM build, which is several times slower. */
  readonly curve: 'native' | 'wasm';
}

/** @throws {ConfigError} when SERVER_PRIVATE_KEY is missing or not a valid private key */
export function createServerIdentity(config: Config): ServerIdentity {
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
    sessionLifetimeMs: config.sessions.lifeMs,
    ...(config.sessions.secrets === undefined ? {} : { sessionSecrets: config.sessions.secrets }),
  });
  return { authenticator, normaliseKey: (key) => normaliseIdentityKey(key, curve), curve: curve.name };
}
