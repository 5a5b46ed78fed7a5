import { CompletedProtoWallet, LockingScript, PrivateKey, PushDrop, Transaction, Utils } from '@bsv/sdk';
import { createServiceAdScript, type ServiceAd } from '../../src/topics/service-ad.js';
import { addFunding, type TestChain } from './chain.js';

export interface Token {
  readonly transaction: Transaction;
  readonly index: number;
}

type Protocol = [0 | 1 | 2, string];

const MESSAGE_BOX: Protocol = [1, 'messagebox advertisement'];
export const PROTOCOLS: Record<'tm_messagebox' | 'SHIP' | 'SLAP', Protocol> = {
  tm_messagebox: MESSAGE_BOX,
  SHIP: [2, 'service host interconnect'],
  SLAP: [2, 'service lookup availability'],
};

/** An identity that makes tokens like the real client. */
export class Person {
  readonly key = PrivateKey.fromRandom();
  readonly identityKey = this.key.toPublicKey().toString();
  readonly wallet = new CompletedProtoWallet(this.key);

  /** The locking script by which `MessageBoxClient.anointHost` advertises. */
  async messageBoxAd(host: string, identityKey = this.identityKey): Promise<LockingScript> {
    const fields = [Utils.toArray(identityKey, 'hex'), Utils.toArray(host, 'utf8')];
    return await new PushDrop(this.wallet).lock(fields, MESSAGE_BOX, '1', 'anyone', true);
  }

  async serviceAd(protocol: ServiceAd['protocol'], domain: string, name: string): Promise<LockingScript> {
    return await createServiceAdScript(this.wallet, { protocol, domain, name });
  }

  /** Creates a transaction with these outputs that spends these tokens of the person. */
  async transaction(
    chain: TestChain,
    outputs: readonly LockingScript[],
    spent: readonly (Token & { protocol?: Protocol })[] = [],
    funding = chain.fund(),
  ): Promise<Transaction> {
    const transaction = new Transaction();
    addFunding(transaction, funding);
    for (const { transaction: source, index, protocol = MESSAGE_BOX } of spent) {
      transaction.addInput({
        sourceTransaction: source,
        sourceTXID: source.id('hex'),
        sourceOutputIndex: index,
        unlockingScriptTemplate: new PushDrop(this.wallet).unlock(protocol, '1', 'anyone'),
      });
    }
    for (const lockingScript of outputs) transaction.addOutput({ lockingScript, satoshis: 1 });
    if (outputs.length === 0) transaction.addOutput({ lockingScript: LockingScript.fromASM('OP_1'), satoshis: 1 });
    await transaction.sign();
    return transaction;
  }

  /** Advertises a host in an output of index 0. */
  async advertise(chain: TestChain, host: string, spent: readonly Token[] = []): Promise<Transaction> {
    return await this.transaction(chain, [await this.messageBoxAd(host)], spent);
  }
}
