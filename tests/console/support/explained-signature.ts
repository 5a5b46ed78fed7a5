import type { ProtoWallet } from '@bsv/sdk';
import type { Explanation, Step } from '../../../packages/console/app/src/inspector/explain/steps.js';

/** A signature exactly as the inspector shows it. */
export interface ShownSignature {
  /** What is signed, such as `the request`. */
  readonly subject: string;
  readonly data: Uint8Array;
  /** DER, hex. */
  readonly signature: string;
  readonly signer: string;
  readonly counterparty: string;
  readonly keyID: string;
  readonly derivedPublicKey: string;
  readonly verified: boolean | undefined;
}

/** Reads the signatures out of an explanation: a step that derives a key, and the step after it that signs with the key. */
export function readShownSignatures({ steps }: Explanation): ShownSignature[] {
  return steps.flatMap((step, i) => {
    const next = steps[i + 1];
    const keyID = factOf(step, 'Key id (');
    if (keyID === undefined || next === undefined) return [];
    const signed = next.bytes?.find(({ title }) => title.startsWith('Signed: '));
    return [
      {
        subject: signed?.title.slice('Signed: '.length) ?? '',
        data: signed?.content.bytes ?? new Uint8Array(),
        signature: factOf(next, 'Signature (DER)') ?? '',
        signer: factOf(step, 'Signer (') ?? '',
        counterparty: factOf(step, 'Counterparty (') ?? '',
        keyID,
        derivedPublicKey: factOf(step, 'Derived public key') ?? '',
        verified: next.verified,
      },
    ];
  });
}

/** Verifies a shown signature as its counterparty would, with nothing but what is shown and the counterparty's wallet. */
export async function verifyShown(shown: ShownSignature, counterparty: ProtoWallet): Promise<boolean> {
  const use = {
    protocolID: [2, 'auth message signature'] as [2, string],
    keyID: shown.keyID,
    counterparty: shown.signer,
  };
  const { publicKey } = await counterparty.getPublicKey({ ...use, forSelf: false });
  const { valid } = await counterparty.verifySignature({
    ...use,
    data: [...shown.data],
    signature: [...Buffer.from(shown.signature, 'hex')],
  });
  return valid && publicKey === shown.derivedPublicKey;
}

function factOf(step: Step, label: string): string | undefined {
  return step.facts.find((fact) => fact.label.startsWith(label))?.value;
}
