import { HTTPSOverlayLookupFacilitator, LookupResolver } from '@bsv/sdk';
import { decodeServiceAd } from '@messagebox/overlay';
import { parseBeef } from '@messagebox/transactions';
import type { Chain } from '@messagebox/wallet';

/** The two advertisements of a host, in the form that the functions here return. */
export const readAds = (origin: string): string[] => [`SHIP tm_messagebox ${origin}`, `SLAP ls_messagebox ${origin}`];

/** `SHIP tm_messagebox https://…` of the unspent tokens on the local chain, sorted. */
export async function readAdsOnChain(chain: Chain): Promise<string[]> {
  const { storage } = (await chain.getLocalChain()).services;
  const unspent: { lockingScript: Buffer }[] = await storage
    .knex('mockchain_utxos')
    .where({ satoshis: 1 })
    .whereNull('spentByTxid');
  return decodeScripts(unspent.map(({ lockingScript }) => lockingScript));
}

/** The same list of what the SDK's `LookupResolver` finds at an overlay host. */
export async function lookUpAds(url: string): Promise<string[]> {
  const resolver = new LookupResolver({
    slapTrackers: [url],
    hostOverrides: { ls_ship: [url] },
    facilitator: new HTTPSOverlayLookupFacilitator(undefined, true),
    reputationStorage: { get: () => undefined, set: () => {} },
  });
  const scripts: Uint8Array[] = [];
  for (const service of ['ls_ship', 'ls_slap']) {
    const answer = await resolver.query({ service, query: 'findAll' });
    for (const { beef, outputIndex } of answer.outputs) {
      scripts.push(parseBeef(Uint8Array.from(beef)).subject.outputs[outputIndex]?.script ?? new Uint8Array());
    }
  }
  return decodeScripts(scripts);
}

function decodeScripts(scripts: readonly Uint8Array[]): string[] {
  return scripts
    .flatMap((script) => decodeServiceAd(script) ?? [])
    .map(({ protocol, name, domain }) => `${protocol} ${name} ${domain}`)
    .sort();
}
