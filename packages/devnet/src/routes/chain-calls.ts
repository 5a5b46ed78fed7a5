import { InvalidTransactionError, readBeef } from '@messagebox/transactions';
import type { LocalChain } from '../chain/local-chain.js';
import { LocalChainError, MAX_BEEF_BYTES } from '../chain/local-chain.js';

/** Limits of a BEEF besides its bytes: transactions, and hashes in merkle paths. */
const MAX_TRANSACTIONS = 200;
const MAX_HASHES = 2_000;
/** Inputs, outputs and hashes together, needed or not. */
const MAX_PARTS = 100_000;
const MAX_TXIDS = 100;
const MAX_RESULTS = 100;

type ChainCall = (chain: LocalChain, args: CallArguments) => Promise<unknown>;

/**
 * The calls of wallets in other processes, with their arguments in this order. All values are JSON: a BEEF is base64, a
 * merkle path or a block header is hex, and the rest is as in the toolbox's services.
 */
const CHAIN_CALLS: Readonly<Record<string, ChainCall>> = {
  postBeef: async (chain, args) => chain.postBeef(await args.takeBeef(chain), args.takeTxids()),
  getRawTx: async ({ services }, args) => services.getRawTx(args.takeHash('txid')),
  getMerklePath: async ({ services }, args) => {
    const { merklePath, ...rest } = await services.getMerklePath(args.takeHash('txid'));
    return { ...rest, merklePath: merklePath?.toHex() };
  },
  getBeefForTxid: async ({ services }, args) =>
    toBase64((await services.getBeefForTxid(args.takeHash('txid'))).toBinary()),
  getStatusForTxids: async ({ services }, args) => services.getStatusForTxids(args.takeTxids()),
  getUtxoStatus: async ({ services }, args) => {
    const [scriptHash, outpoint] = [args.takeHash('script hash'), args.takeOutpoint()];
    const { details, ...rest } = await services.getUtxoStatus(scriptHash, 'hashLE', outpoint);
    return { ...rest, details: details.slice(0, MAX_RESULTS) };
  },
  getScriptHashHistory: async ({ services }, args) => {
    const { history, ...rest } = await services.getScriptHashHistory(args.takeHash('script hash'));
    return { ...rest, history: history.slice(0, MAX_RESULTS) };
  },
  getHeight: async ({ tracker }) => tracker.currentHeight(),
  findChainTipHeader: async ({ tracker }) => tracker.findChainTipHeader(),
  findHeaderForHeight: async ({ tracker }, args) => tracker.findHeaderForHeight(args.takeHeight()),
  getHeaderForHeight: async ({ tracker }, args) => tracker.getHeaders(args.takeHeight(), 1),
  hashToHeader: async ({ tracker }, args) => tracker.findHeaderForBlockHash(args.takeHash('block hash')),
  isValidRootForHeight: async ({ tracker }, args) =>
    tracker.isValidRootForHeight(args.takeHash('merkle root'), args.takeHeight()),
};

/**
 * Answers a call of a wallet: `POST /development/chain` with `{method, args}`, answered with `{result}`.
 *
 * @returns a value for JSON; null when nothing was found
 * @throws {LocalChainError} for an unknown method or wrong arguments
 */
export async function answerChainCall(chain: LocalChain, method: unknown, args: unknown): Promise<unknown> {
  const call = typeof method === 'string' && Object.hasOwn(CHAIN_CALLS, method) ? CHAIN_CALLS[method] : undefined;
  if (call === undefined) throw new LocalChainError(`method must be one of ${Object.keys(CHAIN_CALLS).join(', ')}`);
  if (!Array.isArray(args)) throw new LocalChainError('args must be an array');
  return (await call(chain, new CallArguments(args))) ?? null;
}

/**
 * Answers a request for money: `POST /development/faucet` with `{lockingScript, satoshis}`, answered with a `Funding`.
 *
 * @throws {LocalChainError} when the body is wrong
 */
export async function answerFaucet(chain: LocalChain, body: unknown) {
  const { lockingScript, satoshis } = (body ?? {}) as { lockingScript?: unknown; satoshis?: unknown };
  if (typeof lockingScript !== 'string') throw new LocalChainError('lockingScript must be hex');
  if (typeof satoshis !== 'number') throw new LocalChainError('satoshis must be a number');
  return await chain.fund({ lockingScript, satoshis });
}

/** Reads the arguments of a call one by one, and checks each. */
class CallArguments {
  #next = 0;

  constructor(private readonly values: readonly unknown[]) {}

  takeHash(name: string): string {
    return parseHash(this.#take(), name);
  }

  takeHeight(): number {
    const value = this.#take();
    if (typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= 0x7fff_ffff) return value;
    throw new LocalChainError('a height must be an integer from 0');
  }

  takeTxids(): string[] {
    const value = this.#take();
    if (!Array.isArray(value) || value.length > MAX_TXIDS) {
      throw new LocalChainError(`txids must be an array of at most ${MAX_TXIDS}`);
    }
    return value.map((txid) => parseHash(txid, 'txid'));
  }

  takeOutpoint(): string | undefined {
    const value = this.#take();
    if (value === undefined || value === null) return undefined;
    if (typeof value === 'string' && /^[0-9a-f]{64}\.\d{1,10}$/.test(value)) return value;
    throw new LocalChainError('an outpoint must be a txid, a dot and an output index');
  }

  async takeBeef(chain: LocalChain) {
    const value = this.#take();
    if (typeof value !== 'string' || value.length > (MAX_BEEF_BYTES * 4) / 3 + 4) {
      throw new LocalChainError(`a BEEF must be base64 of at most ${MAX_BEEF_BYTES} bytes`);
    }
    const bytes = Buffer.from(value, 'base64');
    try {
      // The SDK trusts the counts in the bytes, so they are checked before.
      const { proofs } = readBeef(bytes, MAX_TRANSACTIONS, MAX_PARTS);
      if (proofs.reduce((sum, { size }) => sum + size, 0) > MAX_HASHES) {
        throw new LocalChainError(`the merkle paths have more than ${MAX_HASHES} hashes`);
      }
      return chain.parseBeef(bytes);
    } catch (error) {
      if (error instanceof InvalidTransactionError) throw new LocalChainError(error.message);
      throw error;
    }
  }

  #take(): unknown {
    const value = this.values[this.#next];
    this.#next += 1;
    return value;
  }
}

function parseHash(value: unknown, name: string): string {
  if (typeof value === 'string' && /^[0-9a-f]{64}$/.test(value)) return value;
  throw new LocalChainError(`a ${name} must be 64 lower-case hex characters`);
}

function toBase64(bytes: readonly number[]): string {
  return Buffer.from(bytes).toString('base64');
}
