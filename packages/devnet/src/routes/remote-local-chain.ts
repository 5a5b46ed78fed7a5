import type { Beef, ChainTracker, Transaction } from '@bsv/sdk';
import type {
  BlockHeader,
  GetMerklePathResult,
  GetRawTxResult,
  GetScriptHashHistoryResult,
  GetStatusForTxidsResult,
  GetUtxoStatusOutputFormat,
  GetUtxoStatusResult,
  PostBeefResult,
  WalletServices,
} from '@bsv/wallet-toolbox/out/src/sdk/WalletServices.interfaces.js';
import type { Toolbox } from '@messagebox/transactions';
import type { Funding, FundingRequest } from '../chain/local-chain.js';
import type { LocalNetwork } from '../wallet/local-wallet.js';

const REQUEST_TIMEOUT_MS = 60_000;
/** A lock time below this value is a block height, else seconds since 1970. */
const LOCKTIME_THRESHOLD = 500_000_000;
const FINAL_SEQUENCE = 0xffffffff;

/** The play chain of a running server, reached through its development routes; see `answerChainCall`. */
export class RemoteLocalChain implements LocalNetwork {
  readonly services: WalletServices;
  readonly #sdk: Toolbox['sdk'];

  /** @param origin the server's, such as http://localhost:8080 */
  constructor(
    private readonly origin: string,
    toolbox: Toolbox,
  ) {
    this.#sdk = toolbox.sdk;
    this.services = this.#createServices();
  }

  /** Takes money from the faucet. */
  async fund(request: FundingRequest): Promise<Funding> {
    return (await this.#post('/development/faucet', request)) as Funding;
  }

  findChainTip(): Promise<BlockHeader> {
    return this.#call('findChainTipHeader');
  }

  #createServices(): WalletServices {
    const { Beef, Hash, MerklePath, Utils } = this.#sdk;
    const height = () => this.#call<number>('getHeight');
    const tracker: ChainTracker = {
      currentHeight: height,
      isValidRootForHeight: (root, height) => this.#call('isValidRootForHeight', root, height),
    };
    const hashOf = (script: string | number[]) =>
      Utils.toHex(Hash.sha256(typeof script === 'string' ? Utils.toArray(script, 'hex') : script));
    const utxoStatus = (output: string, format?: GetUtxoStatusOutputFormat, outpoint?: string) =>
      this.#call<GetUtxoStatusResult>('getUtxoStatus', toScriptHash(output, format, hashOf), outpoint ?? null);
    return {
      chain: 'mock',
      getChainTracker: async () => tracker,
      getHeight: height,
      getHeaderForHeight: async (height) =>
        Utils.toArray(await this.#call<string>('getHeaderForHeight', height), 'hex'),
      hashToHeader: async (hash) => {
        const header = await this.#call<BlockHeader | null>('hashToHeader', hash);
        if (header === null) throw new Error(`The local chain has no block ${hash}.`);
        return header;
      },
      postBeef: (beef: Beef, txids: string[]) =>
        this.#call<PostBeefResult[]>('postBeef', encodeBase64(beef.toBinary()), txids),
      getRawTx: (txid) => this.#call<GetRawTxResult>('getRawTx', txid),
      getMerklePath: async (txid) => {
        const { merklePath, ...rest } = await this.#call<
          Omit<GetMerklePathResult, 'merklePath'> & { merklePath?: string }
        >('getMerklePath', txid);
        return merklePath === undefined ? rest : { ...rest, merklePath: MerklePath.fromHex(merklePath) };
      },
      getBeefForTxid: async (txid) => Beef.fromString(await this.#call<string>('getBeefForTxid', txid), 'base64'),
      getStatusForTxids: (txids) => this.#call<GetStatusForTxidsResult>('getStatusForTxids', txids),
      getScriptHashHistory: (hash) => this.#call<GetScriptHashHistoryResult>('getScriptHashHistory', hash),
      getUtxoStatus: utxoStatus,
      isUtxo: async ({ txid, vout, lockingScript }) => {
        if (lockingScript === undefined) throw new Error('The locking script of the output is missing.');
        return (await utxoStatus(hashOf(lockingScript), 'hashLE', `${txid}.${vout}`)).isUtxo === true;
      },
      hashOutputScript: hashOf,
      nLockTimeIsFinal: async (transaction) => {
        const lockTime = this.#getLockTime(transaction);
        if (lockTime === undefined) return true;
        return lockTime < (lockTime < LOCKTIME_THRESHOLD ? await height() : Math.floor(Date.now() / 1_000));
      },
      // Play money has no price.
      getBsvExchangeRate: async () => 1,
      getFiatExchangeRate: async () => 1,
      getServicesCallHistory: () => {
        throw new Error('The local chain keeps no history of calls.');
      },
    };
  }

  /** @returns undefined when the transaction is final whatever its lock time is */
  #getLockTime(transaction: string | number[] | Transaction | number): number | undefined {
    if (typeof transaction === 'number') return transaction;
    const { Transaction } = this.#sdk;
    let parsed = transaction;
    if (typeof parsed === 'string') parsed = Transaction.fromHex(parsed);
    else if (Array.isArray(parsed)) parsed = Transaction.fromBinary(parsed);
    const isFinal = parsed.inputs.every(({ sequence }) => sequence === FINAL_SEQUENCE);
    return isFinal ? undefined : parsed.lockTime;
  }

  async #call<T>(method: string, ...args: readonly unknown[]): Promise<T> {
    const { result } = (await this.#post('/development/chain', { method, args })) as { result: T };
    return result;
  }

  /** @throws {Error} with the server's description when it refuses */
  async #post(path: string, body: unknown): Promise<unknown> {
    const response = await fetch(new URL(path, this.origin), {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
      signal: AbortSignal.timeout(REQUEST_TIMEOUT_MS),
    });
    const answer: unknown = await response.json().catch(() => undefined);
    if (response.ok) return answer;
    const { description } = (answer ?? {}) as { description?: unknown };
    throw new Error(
      `${path} of ${this.origin} answers ${response.status}: ${String(description ?? 'no reason given')}`,
    );
  }
}

/** Converts each form in which a script can be given to its hash in the order of hashing. */
function toScriptHash(
  output: string,
  format: GetUtxoStatusOutputFormat | undefined,
  hashOf: (script: string) => string,
): string {
  const kind = format ?? (output.length === 64 ? 'hashLE' : 'script');
  if (kind === 'script') return hashOf(output);
  return kind === 'hashLE' ? output : Buffer.from(output, 'hex').reverse().toString('hex');
}

function encodeBase64(bytes: readonly number[]): string {
  return Buffer.from(bytes).toString('base64');
}
