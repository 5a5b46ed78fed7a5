import type { WalletInterface } from '@bsv/sdk';
import { guard } from './guard.js';
import { keepBody, type RecordedBody } from './traffic.js';
import type { WalletCall, WalletLog, WalletMethod } from './wallet-log.js';

/** The fields of the arguments of the recorded calls. */
interface CallArguments {
  readonly protocolID?: readonly [number, string];
  readonly keyID?: string;
  readonly counterparty?: string;
  readonly data?: readonly number[];
  readonly plaintext?: readonly number[];
  readonly ciphertext?: readonly number[];
  readonly signature?: readonly number[];
  readonly hmac?: readonly number[];
}

/** The fields of their results. */
interface CallResult {
  readonly publicKey?: string;
  readonly signature?: readonly number[];
  readonly hmac?: readonly number[];
  readonly ciphertext?: readonly number[];
  readonly plaintext?: readonly number[];
  readonly valid?: boolean;
}

const RECORDED: ReadonlySet<PropertyKey> = new Set<WalletMethod>([
  'createHmac',
  'createSignature',
  'decrypt',
  'encrypt',
  'getPublicKey',
  'verifyHmac',
  'verifySignature',
]);

/**
 * Wraps a wallet (BRC-100): all calls go to it unchanged, and those which sign, verify, encrypt or derive public keys are
 * recorded with the bytes they worked on. Private keys never are: no recorded call takes or gives one.
 *
 * @param identityKey the wallet's identity, 66 hex characters
 */
export function recordWallet<T extends WalletInterface>(wallet: T, log: WalletLog, identityKey?: string): T {
  return new Proxy(wallet, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name, target);
      if (typeof value !== 'function') return value;
      // Methods run on the wallet itself, because private members are not reachable through a proxy.
      if (!RECORDED.has(name)) return value.bind(target) as unknown;
      return (...args: unknown[]) => {
        const at = Date.now();
        const report = (result: CallResult, error: unknown) =>
          guard(() =>
            log.add(describeCall(name as WalletMethod, at, identityKey, args[0] as CallArguments, result, error)),
          );
        const called: unknown = Reflect.apply(value, target, args);
        if (!(called instanceof Promise)) return called;
        return called.then(
          (result: unknown) => {
            report(result as CallResult, undefined);
            return result;
          },
          (error: unknown) => {
            report({}, error);
            throw error;
          },
        );
      };
    },
  });
}

function describeCall(
  method: WalletMethod,
  at: number,
  identityKey: string | undefined,
  args: CallArguments,
  result: CallResult,
  error: unknown,
): Omit<WalletCall, 'id'> {
  const isCheck = method === 'verifySignature' || method === 'verifyHmac';
  return {
    method,
    at,
    identityKey,
    protocolID: args.protocolID,
    keyID: args.keyID,
    counterparty: args.counterparty,
    input: keep(args.data ?? args.plaintext ?? args.ciphertext),
    output: keep(
      isCheck
        ? (args.signature ?? args.hmac)
        : (result.signature ?? result.hmac ?? result.ciphertext ?? result.plaintext),
    ),
    publicKey: result.publicKey,
    valid: isCheck ? result.valid === true : undefined,
    error: error === undefined ? undefined : error instanceof Error ? error.message : String(error),
  };
}

function keep(bytes: readonly number[] | undefined): RecordedBody | undefined {
  return bytes === undefined ? undefined : keepBody(Uint8Array.from(bytes));
}
