import type { ServiceAccount } from './service-account.js';

/** Google refused the service account, or the token made from it. The message holds no secret. */
export class CredentialsError extends Error {
  override readonly name = 'CredentialsError';
}

const SCOPE = 'https://www.googleapis.com/auth/firebase.messaging';
/** A token is not used in its last five minutes. */
const EXPIRY_MARGIN_MS = 300_000;
const TOKEN_TIMEOUT_MS = 10_000;
/** No request follows a failed one for this time, because many pushes may wait for the same token. */
const RETRY_AFTER_MS = 5_000;

interface AccessToken {
  readonly text: string;
  readonly expiresAt: number;
}

/**
 * Access tokens of a service account by the JWT bearer grant (RFC 7523). Concurrent calls share one request. Google's library
 * is loaded with the first request.
 */
export class AccessTokens {
  #token: AccessToken | undefined;
  #requesting: Promise<AccessToken> | undefined;
  #failure: { readonly error: unknown; readonly until: number } | undefined;

  constructor(private readonly account: ServiceAccount) {}

  /** @throws {CredentialsError} Google refused; {Error} Google could not be asked */
  async get(): Promise<string> {
    if (this.#token !== undefined && this.#token.expiresAt > Date.now()) return this.#token.text;
    if (this.#failure !== undefined && this.#failure.until > Date.now()) throw this.#failure.error;
    this.#requesting ??= this.#request().finally(() => {
      this.#requesting = undefined;
    });
    return (await this.#requesting).text;
  }

  /** Says that this token was refused: the next `get` requests another one. */
  invalidate(text: string): void {
    if (this.#token?.text === text) this.#token = undefined;
  }

  async #request(): Promise<AccessToken> {
    try {
      const { JWT } = await import('google-auth-library');
      const { email, privateKey, keyId, tokenUri } = this.account;
      const client = new JWT({
        email,
        key: privateKey,
        ...(keyId === undefined ? {} : { keyId }),
        scopes: [SCOPE],
        additionalClaims: { aud: tokenUri },
        // The library knows one address. A key file may name another one, as key files for emulators do.
        transporterOptions: {
          retryConfig: { retry: 0 }, // pushes are retried anyway
          fetchImplementation: (_url, init) =>
            fetch(tokenUri, { ...init, signal: AbortSignal.timeout(TOKEN_TIMEOUT_MS) }),
        },
      });
      const { access_token: text, expiry_date: expiry } = await client.authorize();
      if (typeof text !== 'string' || text === '') throw new Error('the token endpoint answered without a token');
      this.#failure = undefined;
      this.#token = { text, expiresAt: (expiry ?? Date.now()) - EXPIRY_MARGIN_MS };
      return this.#token;
    } catch (thrown) {
      const error = sanitizeError(thrown);
      this.#failure = { error, until: Date.now() + RETRY_AFTER_MS };
      throw error;
    }
  }
}

/** Removes what the library attaches: the request, and in it the signed assertion. */
function sanitizeError(thrown: unknown): Error {
  const { status, message, response } = thrown as {
    status?: unknown;
    message?: unknown;
    response?: { status?: unknown };
  };
  const code = Number(response?.status ?? status);
  const text = String(message).slice(0, 200);
  if (code >= 400 && code < 500 && code !== 408 && code !== 429) {
    return new CredentialsError(`Google refused the service account (${code}): ${text}`);
  }
  return new Error(`no access token could be had: ${text}`);
}
