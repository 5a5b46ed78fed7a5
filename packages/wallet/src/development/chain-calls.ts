import { InvalidTransactionError, readBeef } from '../beef/index.js';
import type { LocalChain } from '../local/local-chain.js';
import { LocalChainError } from '../local/local-chain.js';

/** Bytes of a BEEF, transactions in it, and hashes in its merkle paths. */
const MAX_BEEF = 1_000_000;
const MAX_TRANSACTIONS = 200;
const MAX_HASHES = 2_000;
const MAX_TXIDS = 100;
const MAX_FOUND = 100;

type Call = (chain: LocalChain, args: Arguments) => Promise<unknown>;

/**
 * What wallets may ask of the local chain from afar, with arguments in this order. All of it is JSON: a BEEF is base64,
 * a merkle path or a block header hex, and everything else as the toolbox's services have it.
 */
const CALLS: Readonly<Record<string, Call>> = {
  postBeef: async (chain, args) => chain.postBeef(await args.beef(chain), args.txids()),
  getRawTx: async ({ services }, args) => services.getRawTx(args.hash('txid')),
  getMerklePath: async ({ services }, args) => {
    const { merklePath, ...rest } = await services.getMerklePath(args.hash('txid'));
    return { ...rest, merklePath: merklePath?.toHex() };
  },
  getBeefForTxid: async ({ services }, args) => base64((await services.getBeefForTxid(args.hash('txid'))).toBinary()),
  getStatusForTxids: async ({ services }, args) => services.getStatusForTxids(args.txids()),
  getUtxoStatus: async ({ services }, args) => {
    const [scriptHash, outpoint] = [args.hash('script hash'), args.outpoint()];
    const { details, ...rest } = await services.getUtxoStatus(scriptHash, 'hashLE', outpoint);
    return { ...rest, details: details.slice(0, MAX_FOUND) };
  },
  getScriptHashHistory: async ({ services }, args) => {
    const { history, ...rest } = await services.getScriptHashHistory(args.hash('script hash'));
    return { ...rest, history: history.slice(0, MAX_FOUND) };
  },
  getHeight: async ({ tracker }) => tracker.currentHeight(),
  findChainTipHeader: async ({ tracker }) => tracker.findChainTipHeader(),
  findHeaderForHeight: async ({ tracker }, args) => tracker.findHeaderForHeight(args.height()),
  getHeaderForHeight: async ({ tracker }, args) => tracker.getHeaders(args.height(), 1),
  hashToHeader: async ({ tracker }, args) => tracker.findHeaderForBlockHash(args.hash('block hash')),
  isValidRootForHeight: async ({ tracker }, args) =>
    tracker.isValidRootForHeight(args.hash('merkle root'), args.height()),
};

/**
 * Answers a call of a wallet on the local chain, which a server offers for development as
 * `POST /development/chain` with `{method, args}` and answers with `{result}`.
 *
 * @returns something for JSON; null when there is no such thing
 * @throws {LocalChainError} for an unknown method or wrong arguments: the caller's mistake
 */
export async function answerChainCall(chain: LocalChain, method: unknown, args: unknown): Promise<unknown> {
  const call = typeof method === 'string' && Object.hasOwn(CALLS, method) ? CALLS[method] : undefined;
  if (call === undefined) throw new LocalChainError(`method must be one of ${Object.keys(CALLS).join(', ')}`);
  if (!Array.isArray(args)) throw new LocalChainError('args must be an array');
  return (await call(chain, new Arguments(args))) ?? null;
}

/**
 * Answers a request for money, which a server offers for development as `POST /development/faucet`: the body is
 * `{lockingScript, satoshis}` and the answer a `Funding`.
 *
 * @throws {LocalChainError} when the body is something else
 */
export async function answerFaucet(chain: LocalChain, body: unknown) {
  const { lockingScript, satoshis } = (body ?? {}) as { lockingScript?: unknown; satoshis?: unknown };
  if (typeof lockingScript !== 'string') throw new LocalChainError('lockingScript must be hex');
  if (typeof satoshis !== 'number') throw new LocalChainError('satoshis must be a number');
  return await chain.fund({ lockingScript, satoshis });
}

/** Takes arguments one by one, each only as what it must be. */
class Arguments {
  private next = 0;

  constructor(private readonly values: readonly unknown[]) {}

  hash(name: string): string {
    return hashOf(this.take(), name);
  }

  height(): number {
    const value = this.take();
    if (typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= 0x7fff_ffff) return value;
    throw new LocalChainError('a height must be an integer from 0');
  }

  txids(): string[] {
    const value = this.take();
    if (!Array.isArray(value) || value.length > MAX_TXIDS) {
      throw new LocalChainError(`txids must be an array of at most ${MAX_TXIDS}`);
    }
    return value.map((txid) => hashOf(txid, 'txid'));
  }

  outpoint(): string | undefined {
    const value = this.take();
    if (value === undefined || value === null) return undefined;
    if (typeof value === 'string' && /^[0-9a-f]{64}\.\d{1,10}$/.test(value)) return value;
    throw new LocalChainError('an outpoint must be a txid, a dot and an output index');
  }

  async beef(chain: LocalChain) {
    const value = this.take();
    if (typeof value !== 'string' || value.length > (MAX_BEEF * 4) / 3 + 4) {
      throw new LocalChainError(`a BEEF must be base64 of at most ${MAX_BEEF} bytes`);
    }
    const bytes = Buffer.from(value, 'base64');
    try {
      // The library believes what bytes promise, so they are looked through before.
      const { proofs } = readBeef(bytes, MAX_TRANSACTIONS);
      if (proofs.reduce((sum, { size }) => sum + size, 0) > MAX_HASHES) {
        throw new LocalChainError(`the merkle paths have more than ${MAX_HASHES} hashes`);
      }
      return chain.parseBeef(bytes);
    } catch (error) {
      if (error instanceof InvalidTransactionError) throw new LocalChainError(error.message);
      throw error;
    }
  }

  private take(): unknown {
    const value = this.values[this.next];
    this.next += 1;
    return value;
  }
}

function hashOf(value: unknown, name: string): string {
  if (typeof value === 'string' && /^[0-9a-f]{64}$/.test(value)) return value;
  throw new LocalChainError(`a ${name} must be 64 lower-case hex characters`);
}

function base64(bytes: readonly number[]): string {
  return Buffer.from(bytes).toString('base64');
}
